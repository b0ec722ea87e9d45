import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpBinding } from '@claviger/contracts';
import type { HttpBody } from '@claviger/contracts/google/api/httpbody';

const CONTENT_TYPE = /^[a-z0-9.+-]+\/[a-z0-9.+-]+(?:; ?charset=utf-8)?$/i;
const EXTENSIONS: Readonly<Record<string, string>> = {
  'text/csv': 'csv',
  'application/json': 'json',
  'application/x-ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
  'application/zip': 'zip',
  'application/x-pem-file': 'pem',
};

/** Name of the download, from the route alone: nothing of the request or the data gets into the header. */
export function downloadName(binding: HttpBinding, contentType: string): string {
  const words = binding.path.split('/').filter((word) => word !== '' && !word.startsWith('{'));
  const stem = words.slice(2).join('-') || 'download';
  return `${stem}.${EXTENSIONS[contentType.split(';')[0]!.trim().toLowerCase()] ?? 'bin'}`;
}

/**
 * Sends a stream of bytes as a download, at the pace at which the client takes it. The first message is awaited before
 * anything is sent, so that a refusal is still a problem; later failures cut the connection, so that half a file never
 * looks whole. HEAD ends the stream at its source once the headers are known.
 */
export async function answerStream(
  request: IncomingMessage,
  response: ServerResponse,
  binding: HttpBinding,
  messages: AsyncIterable<HttpBody>,
): Promise<void> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  const given = first.done ? '' : first.value.contentType;
  const contentType = CONTENT_TYPE.test(given) ? given : 'application/octet-stream';
  response.writeHead(200, {
    'Content-Type': contentType,
    'Content-Disposition': `attachment; filename="${downloadName(binding, contentType)}"`,
  });
  if (request.method === 'HEAD') {
    await iterator.return?.();
    response.end();
    return;
  }
  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      if (!first.done) yield first.value.data;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value.data;
    } finally {
      await iterator.return?.();
    }
  }
  await pipeline(Readable.from(bytes(), { objectMode: false }), response);
}
