import { createHmac, randomBytes } from 'node:crypto';
import { KEY_BYTES } from '../aes-gcm.ts';
import { readPrivateFile } from '../private-file.ts';
import { RootKeyError } from '../root-key-provider.ts';
import { type Cryptoki, ckr, loadCryptoki, own, template, ulong } from './cryptoki.ts';

export interface TokenKey {
  /** Path of the PKCS#11 module, e.g. `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  readonly tokenLabel: string;
  /** Label of a 256-bit AES key that never leaves the token. */
  readonly keyLabel: string;
  readonly pinFile: string;
}

/** A logged-in session and its key. */
export interface OpenKey {
  readonly cryptoki: Cryptoki;
  readonly session: number;
  readonly key: number;
}

const CKF_SERIAL_SESSION = 4;
const CKU_USER = 1;
const CKA = { class: 0, label: 3, keyType: 0x100, sensitive: 0x103, valueLength: 0x161, extractable: 0x162 };
const CKO_SECRET_KEY = 4;
const CKK_AES = 0x1f;
const CKR_PIN_INCORRECT = 0xa0;
const CKR_PIN_LOCKED = 0xa4;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;
const TOKEN_LABEL_BYTES = 32;
const MAX_SLOTS = 256;

// Tokens lock themselves after a few wrong PINs, so a refused PIN is not tried again. Stored as a keyed hash.
const refusedPins = new Set<string>();
const refusedKey = randomBytes(32);

/** Finds token and key, and logs in. @throws {RootKeyError} */
export async function openTokenKey(where: TokenKey): Promise<OpenKey> {
  const cryptoki = await loadCryptoki(where.module);
  const slot = await findSlot(cryptoki, where.tokenLabel);
  const handle = ulong(0);
  require(await cryptoki.call('openSession', slot, CKF_SERIAL_SESSION, null, null, handle), 'session');
  const session = Number(handle.readBigUInt64LE());
  try {
    await login(cryptoki, session, where);
    const key = await findKey(cryptoki, session, where);
    return { cryptoki, session, key };
  } catch (error) {
    await cryptoki.call('closeSession', session);
    throw error;
  }
}

function require(result: number, what: string): void {
  if (result === 0) return;
  throw new RootKeyError('unreachable', `The PKCS#11 token does not answer (${what}: ${ckr(result)}).`);
}

async function findSlot(cryptoki: Cryptoki, label: string): Promise<number> {
  const slots = Buffer.alloc(8 * MAX_SLOTS);
  const count = ulong(MAX_SLOTS);
  require(await cryptoki.call('getSlotList', 1, slots, count), 'slots');
  const found: number[] = [];
  for (let i = 0; i < Number(count.readBigUInt64LE()); i++) {
    const slot = Number(slots.readBigUInt64LE(8 * i));
    const info = Buffer.alloc(512);
    if ((await cryptoki.call('getTokenInfo', slot, info)) !== 0) continue;
    if (info.toString('utf8', 0, TOKEN_LABEL_BYTES).trimEnd() === label) found.push(slot);
  }
  if (found.length === 1) return found[0]!;
  throw new RootKeyError(
    found.length === 0 ? 'missing' : 'refused',
    found.length === 0
      ? `No PKCS#11 token is labelled "${label}": check the device and rootKey.tokenLabel.`
      : `${found.length} PKCS#11 tokens are labelled "${label}": give one of them another label.`,
  );
}

async function login(cryptoki: Cryptoki, session: number, where: TokenKey): Promise<void> {
  const content = await readPrivateFile(where.pinFile, { what: 'PIN', maxBytes: 256, groupMayRead: true });
  let end = content.length;
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d)) end -= 1;
  const pin = content.subarray(0, end);
  try {
    const digest = createHmac('sha256', refusedKey)
      .update(where.tokenLabel)
      .update('\0')
      .update(pin)
      .digest('hex');
    const refused = () =>
      new RootKeyError(
        'refused',
        `The PKCS#11 token "${where.tokenLabel}" refuses the PIN in ${where.pinFile}. It is not tried again until that file contains another one.`,
      );
    if (refusedPins.has(digest)) throw refused();
    const result = await cryptoki.call('login', session, CKU_USER, pin, pin.length);
    if (result === CKR_PIN_INCORRECT || result === CKR_PIN_LOCKED) {
      refusedPins.add(digest);
      throw refused();
    }
    if (result !== CKR_USER_ALREADY_LOGGED_IN) require(result, 'login');
  } finally {
    content.fill(0);
  }
}

async function findKey(cryptoki: Cryptoki, session: number, where: TokenKey): Promise<number> {
  const [kind, type, label] = [ulong(CKO_SECRET_KEY), ulong(CKK_AES), own(Buffer.from(where.keyLabel))];
  const wanted = template([
    [CKA.class, kind],
    [CKA.keyType, type],
    [CKA.label, label],
  ]);
  require(await cryptoki.call('findObjectsInit', session, wanted, 3), 'search');
  const [found, count] = [Buffer.alloc(16), ulong(0)];
  const result = await cryptoki.call('findObjects', session, found, 2, count);
  await cryptoki.call('findObjectsFinal', session);
  // Read again here, so that the buffers of the template stay alive until now.
  require(result, `search for ${label.toString()}, class ${kind[0]}, type ${type[0]}`);
  const matches = Number(count.readBigUInt64LE());
  if (matches !== 1)
    throw new RootKeyError(
      matches === 0 ? 'missing' : 'refused',
      matches === 0
        ? `The token "${where.tokenLabel}" has no AES key labelled "${where.keyLabel}".`
        : `The token "${where.tokenLabel}" has several AES keys labelled "${where.keyLabel}": the label must be unique.`,
    );
  const key = Number(found.readBigUInt64LE(0));
  await requireLocked(cryptoki, session, key, where);
  return key;
}

/** An extractable key would be no safer than a file. */
async function requireLocked(
  cryptoki: Cryptoki,
  session: number,
  key: number,
  where: TokenKey,
): Promise<void> {
  const [sensitive, extractable, length] = [Buffer.alloc(1), Buffer.alloc(1), ulong(0)];
  const asked = template([
    [CKA.sensitive, sensitive],
    [CKA.extractable, extractable],
    [CKA.valueLength, length],
  ]);
  require(await cryptoki.call('getAttributeValue', session, key, asked, 3), 'attributes');
  if (sensitive[0] === 1 && extractable[0] === 0 && Number(length.readBigUInt64LE()) === KEY_BYTES) return;
  throw new RootKeyError(
    'weak',
    `The key "${where.keyLabel}" of the token "${where.tokenLabel}" must be an AES key of 256 bits, sensitive and not extractable: create a new one.`,
  );
}
