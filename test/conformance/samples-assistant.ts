import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const CHAT = '/api/v1/ai/chat';

export const assistantSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  AskAssistant: () => ({ body: { message: 'Which access of mine is active?' } }),
  // The history that the lists are tested with stays: only what is older goes.
  EraseChatHistory: () => ({ query: '?before=2020-01-01' }),
  SuggestForRequest: (world) => ({ body: { requestId: world.requestId } }),
};

/** Something to page through. */
export async function fillChatHistory({ admin }: World): Promise<void> {
  for (const message of ['one', 'two', 'three', 'four']) await admin.must('POST', CHAT, { message });
}
