import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const CHAT = '/api/v1/ai/chat';

export const assistantSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  AskAssistant: () => ({ body: { message: 'Which access of mine is active?' } }),
  // Deletes only older entries, because the tests of lists need the history.
  EraseChatHistory: () => ({ query: '?before=2020-01-01' }),
  SuggestForRequest: (world) => ({ body: { requestId: world.requestId } }),
};

/** Items for the tests of paging. */
export async function fillChatHistory({ admin }: World): Promise<void> {
  for (const message of ['one', 'two', 'three', 'four']) await admin.must('POST', CHAT, { message });
}
