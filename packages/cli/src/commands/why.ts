import type { Verb } from '../contract/noun.ts';

const work = () => import('../flows/explain-decision.ts');

export const command: Verb = {
  call: 'ExplainRequest',
  about: 'explain the decision of an access request or an elevation request',
  run: async (running, request) => (await work()).explanationOf(running, String(request.requestId)),
  print: async (told: never) => (await work()).printExplanation(told),
};
