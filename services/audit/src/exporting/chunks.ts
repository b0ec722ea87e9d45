const CHUNK_BYTES = 64 * 1024;

/** Joins small texts into chunks of about 64 KiB. Stops between two texts when the signal aborts. */
export async function* chunks(texts: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<Buffer> {
  let pending: string[] = [];
  let characters = 0;
  for await (const text of texts) {
    if (signal.aborted) return;
    pending.push(text);
    characters += text.length;
    if (characters < CHUNK_BYTES) continue;
    yield Buffer.from(pending.join(''));
    pending = [];
    characters = 0;
  }
  if (characters > 0) yield Buffer.from(pending.join(''));
}
