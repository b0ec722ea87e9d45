import { type OutboxMessage, type Publisher, RefusedMessages } from './publisher.ts';

const PUBLISH_TIMEOUT_MS = 8_000;

/**
 * Publishes, or throws after eight seconds. Returns permanently refused messages with their reason. No
 * transaction may be open meanwhile: a hanging server would hold its connection and its locks and block the
 * next election.
 */
export async function publishInTime(
  publisher: Publisher,
  messages: readonly OutboxMessage[],
  options?: { readonly again?: boolean },
): Promise<ReadonlyMap<string, string>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`The publisher did not answer within ${PUBLISH_TIMEOUT_MS} ms.`)),
      PUBLISH_TIMEOUT_MS,
    );
  });
  try {
    await Promise.race([publisher(messages, options), late]);
    return new Map();
  } catch (error) {
    if (error instanceof RefusedMessages) return error.refused;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
