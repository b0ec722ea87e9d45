import type { Verb } from '../contract/noun.ts';

const work = () => import('../flows/ask-assistant.ts');

export const command: Verb = {
  call: 'AskAssistant',
  about: 'ask the assistant; it changes nothing',
  example: 'ask "Which access of mine is active, and when does it end?"',
  words: 'words...',
  bare: true,
  options: [
    '--history  show your own questions and answers',
    '--erase-history  erase your questions and answers permanently',
    '--status  show the provider and what can be asked',
  ],
  run: async (running) => (await work()).ask(running),
  print: async (answer: never) => (await work()).printAnswer(answer),
};
