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

/** The file name of the download comes only from the route, so that no request data reaches the header. */
export function downloadName(binding: HttpBinding, contentType: string): string {
  const words = binding.path.split('/').filter((word) => word !== '' && !word.startsWith('{'));
  const stem = words.slice(2).join('-') || 'download';
  return `${stem}.${EXTENSIONS[contentType.split(';')[0]!.trim().toLowerCase()] ?? 'bin'}`;
}

/**
 * Sends a byte stream as a download at the client's pace. The first message is awaited before the headers, so
 * that a refusal is still a problem; a later failure closes the connection, so that a partial file is not
 * taken for a complete one. HEAD ends the stream after the headers.
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
