import { createHash, randomBytes } from 'node:crypto';
import { IV_BYTES, TAG_BYTES } from '../aes-gcm.ts';
import { IntegrityError } from '../integrity-error.ts';
import { RootKeyError, type RootKeyProvider } from '../root-key-provider.ts';
import { withinMs } from '../within-ms.ts';
import { addressOf, ckr, own, ulong } from './cryptoki.ts';
import { type OpenKey, openTokenKey, type TokenKey } from './token-session.ts';

const CKM_AES_GCM = 0x1087;
const FORMAT = 1;
const CKR_ENCRYPTED_DATA_INVALID = 0x40;
const CKR_ENCRYPTED_DATA_LEN_RANGE = 0x41;
/** The session is lost: the token was removed, or the device restarted. */
const LOST = new Set([0x30, 0x32, 0x60, 0x82, 0xb0, 0xb3, 0xe0, 0x101, 0x190]);
// A constant message with a fixed IV. A random 96-bit IV equals it with a probability of 2^-96.
const CHECK_IV = Buffer.from('claviger-chk');
const CHECK_AAD = Buffer.from('claviger/root-key-check/v1');

/**
 * A root key that never leaves its PKCS#11 token: the token encrypts with AES-256-GCM. The format equals that
 * of the other providers. A lost session is opened again at the next use.
 *
 * @throws {RootKeyError} when module, token, PIN or key are wrong.
 */
export async function pkcs11Provider(where: TokenKey, { timeoutMs = 5_000 } = {}): Promise<RootKeyProvider> {
  let opened: OpenKey | undefined = await withinMs(openTokenKey(where), timeoutMs, late);
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();

  /** Runs calls one after the other, because a session allows one operation at a time. */
  const inSession = <T>(work: (key: OpenKey) => Promise<T | number>): Promise<T> => {
    const run = async (): Promise<T> => {
      for (let attempt = 1; ; attempt++) {
        if (closed) throw new RootKeyError('closed', 'The session at the PKCS#11 token was closed.');
        opened ??= await openTokenKey(where);
        const done = await work(opened);
        if (typeof done !== 'number') return done;
        const { cryptoki, session } = opened;
        if (LOST.has(done)) {
          opened = undefined;
          await cryptoki.call('closeSession', session);
          if (attempt === 1) continue;
        }
        throw new RootKeyError(
          'unreachable',
          `The PKCS#11 token "${where.tokenLabel}" answers ${ckr(done)}.`,
        );
      }
    };
    const result = queue.then(run, run);
    queue = result.catch(() => {});
    return withinMs(result, timeoutMs, late);
  };
  const encrypt = (bytes: Uint8Array, iv: Buffer, aad: Uint8Array) =>
    inSession<Buffer>((key) => crypt('encrypt', key, bytes, iv, aad));
  const decrypt = (wrapped: Buffer, aad: Uint8Array) =>
    inSession<Buffer | undefined>(async (key) => {
      const iv = wrapped.subarray(1, 1 + IV_BYTES);
      const result = await crypt('decrypt', key, wrapped.subarray(1 + IV_BYTES), iv, aad);
      if (typeof result !== 'number') return result;
      if (result === CKR_ENCRYPTED_DATA_INVALID || result === CKR_ENCRYPTED_DATA_LEN_RANGE) return undefined;
      if (LOST.has(result)) return result;
      // Modules report a wrong tag with different codes. If encrypting still works, the module works and the
      // tag is wrong.
      const probe = await crypt('encrypt', key, CHECK_AAD, randomBytes(IV_BYTES), CHECK_AAD);
      return typeof probe === 'number' ? result : undefined;
    });
  const fingerprint = async () =>
    createHash('sha256')
      .update(await encrypt(CHECK_AAD, CHECK_IV, CHECK_AAD))
      .digest('hex')
      .slice(0, 16);

  const check = await fingerprint();
  return {
    kind: 'pkcs11',
    id: `pkcs11:${where.keyLabel}:${check}`,
    wrap: async (bytes, aad) => {
      const iv = randomBytes(IV_BYTES);
      return Buffer.concat([Buffer.of(FORMAT), iv, await encrypt(bytes, iv, aad)]);
    },
    unwrap: async (wrapped, aad) => {
      const stored = Buffer.from(wrapped);
      if (stored.length < 1 + IV_BYTES + TAG_BYTES || stored[0] !== FORMAT)
        throw new IntegrityError('root_refused');
      const bytes = await decrypt(stored, aad);
      if (bytes === undefined) throw new IntegrityError('root_refused');
      return bytes;
    },
    keyCheck: async () => check,
    health: async () => {
      try {
        if ((await fingerprint()) === check) return { ok: true };
        return {
          ok: false,
          problem: `The key "${where.keyLabel}" of the token is another one than at the start.`,
        };
      } catch (error) {
        if (error instanceof RootKeyError) return { ok: false, problem: error.message };
        throw error;
      }
    },
    close: () => {
      closed = true;
      const last = opened;
      opened = undefined;
      if (last) queue = queue.then(() => last.cryptoki.call('closeSession', last.session)).catch(() => {});
    },
  };
}

const late = () =>
  new RootKeyError('unreachable', 'The PKCS#11 token does not answer in time; the next use tries again.');

/** The token's output, or its return code when it refused. */
async function crypt(
  direction: 'encrypt' | 'decrypt',
  { cryptoki, session, key }: OpenKey,
  bytes: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
): Promise<Buffer | number> {
  const [input, ownIv, ownAad] = [own(bytes), own(iv), own(aad)];
  const output = Buffer.allocUnsafeSlow(input.length + TAG_BYTES);
  try {
    const parameters = Buffer.concat([
      ulong(addressOf(ownIv)),
      ulong(ownIv.length),
      ulong(ownIv.length * 8),
      ulong(addressOf(ownAad)),
      ulong(ownAad.length),
      ulong(TAG_BYTES * 8),
    ]);
    const owned = own(parameters);
    const mechanism = own(Buffer.concat([ulong(CKM_AES_GCM), ulong(addressOf(owned)), ulong(owned.length)]));
    const started = await cryptoki.call(`${direction}Init`, session, mechanism, key);
    if (started !== 0) return started;
    const length = ulong(output.length);
    const result = await cryptoki.call(direction, session, input, input.length, output, length);
    owned.fill(0);
    if (result !== 0) return result;
    return own(output.subarray(0, Number(length.readBigUInt64LE())));
  } finally {
    // Wiping also keeps alive until here the buffers that the module points to.
    for (const buffer of [input, ownIv, ownAad, output]) buffer.fill(0);
  }
}
