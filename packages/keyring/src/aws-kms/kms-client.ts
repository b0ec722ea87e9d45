import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { RootKeyError } from '../root-key-provider.ts';
import { readAwsCredentials } from './credentials-file.ts';
import { signed } from './signature-v4.ts';

export interface KmsAccess {
  readonly region: string;
  readonly credentialsFile: string;
  /** Base URL; the URL of the region by default. Plain HTTP only to this machine. */
  readonly endpoint?: string | undefined;
  /** CA certificate (PEM text) of a private endpoint. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
}

export type KmsAnswer =
  | { readonly ok: true; readonly body: Record<string, unknown> }
  /** `code` is the AWS error code, e.g. `InvalidCiphertextException`. */
  | { readonly ok: false; readonly code: string };

const MAX_ANSWER_BYTES = 65_536;
const ATTEMPTS = 3;
const AGAIN = new Set([
  'ThrottlingException',
  'KMSInternalException',
  'DependencyTimeoutException',
  'InternalFailure',
  'ServiceUnavailableException',
]);

/**
 * Calls AWS KMS, with up to three attempts within the time limit. KMS errors are returned; no answer, or an
 * answer that is not from KMS, is an outage.
 *
 * @throws {RootKeyError} `unreachable`, or a problem with the credentials file.
 */
export async function callKms(access: KmsAccess, operation: string, body: object): Promise<KmsAnswer> {
  const deadline = performance.now() + access.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const left = deadline - performance.now();
    const pauseMs = 50 * 2 ** attempt;
    const last = attempt === ATTEMPTS || left <= pauseMs;
    try {
      const answer = await once(access, operation, body, Math.max(left, 1));
      if (answer.ok || last || !AGAIN.has(answer.code)) return answer;
    } catch (error) {
      if (last || !(error instanceof RootKeyError) || error.code !== 'unreachable') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function once(
  access: KmsAccess,
  operation: string,
  body: object,
  timeoutMs: number,
): Promise<KmsAnswer> {
  const url = new URL(access.endpoint ?? `https://kms.${access.region}.amazonaws.com/`);
  const text = JSON.stringify(body);
  const headers = signed(
    {
      method: 'POST',
      path: '/',
      headers: {
        host: url.host,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      },
      body: text,
    },
    await readAwsCredentials(access.credentialsFile),
    { region: access.region, service: 'kms', now: new Date() },
  );
  const { status, content } = await post(url, headers, text, access.ca, timeoutMs);
  let answer: unknown;
  try {
    answer = JSON.parse(content);
  } catch {
    throw unreachable(url, `HTTP ${status} without JSON`);
  }
  if (typeof answer !== 'object' || answer === null)
    throw unreachable(url, `HTTP ${status} without an object`);
  const fields = answer as Record<string, unknown>;
  if (status === 200) return { ok: true, body: fields };
  // "com.amazonaws.kms#NotFoundException" or the bare name.
  const type = typeof fields.__type === 'string' ? fields.__type : '';
  if (type === '') throw unreachable(url, `HTTP ${status}`);
  return { ok: false, code: type.split('#').at(-1)! };
}

function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  ca: string | undefined,
  timeoutMs: number,
): Promise<{ status: number; content: string }> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const call = send(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
        agent: false,
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, content: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', (error) => reject(unreachable(url, error.message, error)));
      },
    );
    call.on('error', (error) => reject(unreachable(url, error.message, error)));
    call.end(body);
  });
}

function unreachable(url: URL, why: string, cause?: Error): RootKeyError {
  return new RootKeyError('unreachable', `AWS KMS at ${url.host} does not answer: ${why}`, { cause });
}
