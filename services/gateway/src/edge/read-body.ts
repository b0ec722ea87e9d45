import { MAX_BODY_BYTES } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { type EdgeRequest, hasBody } from './edge-request.ts';

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;

/**
 * Reads the whole body; undefined without one. Throws `unsupported_media_type` for anything but plain JSON,
 * and `payload_too_large` beyond `limitBytes`, without reading further.
 */
export async function readJsonBody(
  request: EdgeRequest,
  limitBytes: number = MAX_BODY_BYTES,
): Promise<Buffer | undefined> {
  if (!hasBody(request)) return undefined;
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new ClavigerError('unsupported_media_type', 'Compressed bodies are not accepted.', {
      hint: 'Remove Content-Encoding.',
    });
  }
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
    throw new ClavigerError('unsupported_media_type', 'The body must be JSON.', {
      hint: 'Send Content-Type: application/json.',
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  return collect(request, limitBytes);
}

function collect(request: EdgeRequest, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge(limitBytes));
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)));
    const broken = (): void => reject(new ClavigerError('invalid', 'The body of the request is incomplete.'));
    request.on('error', broken);
    request.on('close', broken);
  });
}

function tooLarge(limitBytes: number): ClavigerError {
  return new ClavigerError(
    'payload_too_large',
    `The body of this operation can have at most ${limitBytes} bytes.`,
  );
}
