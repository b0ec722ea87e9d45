import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { IntegrityError } from '../integrity-error.ts';
import { RootKeyError, type RootKeyProvider } from '../root-key-provider.ts';
import { callKms, type KmsAccess, type KmsAnswer } from './kms-client.ts';

export interface AwsKmsKey {
  /** ARN of a symmetric key, not of an alias: an alias can be moved to another key. */
  readonly keyArn: string;
  readonly credentialsFile: string;
  readonly endpoint?: string | undefined;
  readonly caFile?: string | undefined;
  /** For one wrap or unwrap, including retries. */
  readonly timeoutMs?: number | undefined;
}

const FORMAT = 2;
const DIGEST_BYTES = 32;
const PROBE = Buffer.from('claviger root key probe');
const PROBE_AAD = Buffer.from('claviger/root-key-probe/v1');
/** Codes for a ciphertext that this key did not make in this context. */
const NOT_OURS = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

/**
 * A root key in AWS KMS. The AAD is the encryption context, which KMS authenticates and writes to CloudTrail;
 * it contains ids and no secrets. The plaintext is prefixed with a digest of itself and its context, and each
 * wrap is decrypted again before use, so that a wrong answer is detected and never stored.
 *
 * @throws {RootKeyError} when a file cannot be read. The first use shows whether KMS answers.
 */
export async function awsKmsProvider(options: AwsKmsKey): Promise<RootKeyProvider> {
  const { keyArn } = options;
  const access: KmsAccess = {
    region: regionOf(keyArn),
    credentialsFile: options.credentialsFile,
    endpoint: options.endpoint,
    ca: options.caFile === undefined ? undefined : await readFile(options.caFile, 'utf8'),
    timeoutMs: options.timeoutMs ?? 5_000,
  };
  let closed = false;
  const call = async (operation: string, body: object): Promise<KmsAnswer> => {
    if (closed) throw new RootKeyError('closed', 'The connection to AWS KMS was closed.');
    return callKms(access, operation, { KeyId: keyArn, ...body });
  };

  const decrypt = async (stored: Buffer, aad: Uint8Array): Promise<Buffer> => {
    if (stored.length < 2 || stored[0] !== FORMAT) throw new IntegrityError('root_refused');
    const answer = await call('Decrypt', {
      CiphertextBlob: stored.subarray(1).toString('base64'),
      EncryptionContext: contextOf(aad),
    });
    if (!answer.ok) {
      if (NOT_OURS.has(answer.code)) throw new IntegrityError('root_refused');
      throw refusal(answer.code, keyArn);
    }
    const payload = bytesOf(answer.body, 'Plaintext');
    if (answer.body.KeyId !== keyArn) throw invalidAnswer('names another key');
    const bytes = payload.subarray(DIGEST_BYTES);
    if (
      payload.length < DIGEST_BYTES ||
      !timingSafeEqual(payload.subarray(0, DIGEST_BYTES), digestOf(bytes, aad))
    )
      throw new IntegrityError('root_refused');
    return bytes;
  };
  const encrypt = async (bytes: Uint8Array, aad: Uint8Array): Promise<Buffer> => {
    const payload = Buffer.concat([digestOf(bytes, aad), bytes]);
    const answer = await call('Encrypt', {
      Plaintext: payload.toString('base64'),
      EncryptionContext: contextOf(aad),
    });
    payload.fill(0);
    if (!answer.ok) throw refusal(answer.code, keyArn);
    if (answer.body.KeyId !== keyArn) throw invalidAnswer('names another key');
    const wrapped = Buffer.concat([Buffer.of(FORMAT), bytesOf(answer.body, 'CiphertextBlob')]);
    const again = await decrypt(wrapped, aad).catch((error: unknown) => {
      throw error instanceof IntegrityError ? invalidAnswer('cannot decrypt its own ciphertext') : error;
    });
    if (!again.equals(bytes)) throw invalidAnswer('decrypts to something else');
    again.fill(0);
    return wrapped;
  };
  const check = createHash('sha256').update(`claviger/aws-kms/${keyArn}`).digest('hex').slice(0, 16);
  return {
    kind: 'aws-kms',
    id: `aws-kms:${keyArn}`,
    wrap: encrypt,
    unwrap: (wrapped, aad) => decrypt(Buffer.from(wrapped), aad),
    keyCheck: async () => check,
    health: async () => {
      try {
        await encrypt(PROBE, PROBE_AAD);
        return { ok: true };
      } catch (error) {
        if (error instanceof RootKeyError) return { ok: false, problem: error.message };
        throw error;
      }
    },
    close: () => {
      closed = true;
    },
  };
}

/** The fourth part of `arn:aws:kms:eu-central-1:111122223333:key/…`. */
function regionOf(keyArn: string): string {
  return keyArn.split(':')[3]!;
}

const contextOf = (aad: Uint8Array) => ({ claviger: Buffer.from(aad).toString('base64') });

function digestOf(bytes: Uint8Array, aad: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(aad.length);
  return createHash('sha256').update('claviger/kms/v1').update(length).update(aad).update(bytes).digest();
}

function bytesOf(body: Record<string, unknown>, name: string): Buffer {
  const text = body[name];
  if (typeof text !== 'string' || text === '') throw invalidAnswer(`has no ${name}`);
  return Buffer.from(text, 'base64');
}

function invalidAnswer(what: string): RootKeyError {
  return new RootKeyError('unreachable', `AWS KMS gave an answer that ${what}; it was not used.`);
}

function refusal(code: string, keyArn: string): RootKeyError {
  const hint = HINTS[code] ?? 'Check the key in AWS.';
  return new RootKeyError(
    code === 'AccessDeniedException' ? 'refused' : 'unreachable',
    `AWS KMS refuses ${keyArn}: ${code}. ${hint}`,
  );
}

const HINTS: Readonly<Record<string, string>> = {
  AccessDeniedException: 'The credentials require kms:Encrypt and kms:Decrypt on this key.',
  UnrecognizedClientException: 'The credentials are not valid.',
  InvalidSignatureException: 'The secret access key or the clock of this machine is wrong.',
  ExpiredTokenException: 'The session token has expired: renew the credentials file.',
  NotFoundException: 'The key does not exist in this account and region.',
  DisabledException: 'The key is disabled: enable it.',
  KMSInvalidStateException: 'The key is pending deletion or import: cancel that.',
  ThrottlingException: 'Too many requests; it is tried again.',
};
