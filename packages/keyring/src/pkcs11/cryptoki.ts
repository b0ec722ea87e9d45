import koffi from 'koffi';
import { RootKeyError } from '../root-key-provider.ts';

// PKCS#11 2.40, on 64-bit machines with 8-byte alignment: Linux, macOS.
const ULONG = 8;
const CKF_OS_LOCKING_OK = 2n;
const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;

/** Index in CK_FUNCTION_LIST and prototype of each function. */
const FUNCTIONS = {
  initialize: [0, 'ulong (uint8_t *args)'],
  getSlotList: [4, 'ulong (uchar present, uint8_t *slots, uint8_t *count)'],
  getTokenInfo: [6, 'ulong (ulong slot, uint8_t *info)'],
  openSession: [12, 'ulong (ulong slot, ulong flags, void *app, void *notify, uint8_t *session)'],
  closeSession: [13, 'ulong (ulong session)'],
  login: [18, 'ulong (ulong session, ulong user, uint8_t *pin, ulong length)'],
  getAttributeValue: [24, 'ulong (ulong session, ulong object, uint8_t *template, ulong count)'],
  findObjectsInit: [26, 'ulong (ulong session, uint8_t *template, ulong count)'],
  findObjects: [27, 'ulong (ulong session, uint8_t *objects, ulong max, uint8_t *count)'],
  findObjectsFinal: [28, 'ulong (ulong session)'],
  encryptInit: [29, 'ulong (ulong session, uint8_t *mechanism, ulong key)'],
  encrypt: [30, 'ulong (ulong session, uint8_t *data, ulong length, uint8_t *out, uint8_t *outLength)'],
  decryptInit: [33, 'ulong (ulong session, uint8_t *mechanism, ulong key)'],
  decrypt: [34, 'ulong (ulong session, uint8_t *data, ulong length, uint8_t *out, uint8_t *outLength)'],
} as const;

export type CryptokiFunction = keyof typeof FUNCTIONS;
type Argument = bigint | number | Buffer | null;

/** A loaded module. Calls run on another thread, because a token may be slow. */
export interface Cryptoki {
  /** Returns the CKR_… code. */
  call(name: CryptokiFunction, ...args: Argument[]): Promise<number>;
}

type Native = {
  async(...args: [...Argument[], (error: Error | null, result: number | bigint) => void]): void;
};

const loaded = new Map<string, Promise<Cryptoki>>();
// Keeps libraries referenced: a collected library is unloaded while its functions are still in use.
const libraries: unknown[] = [];

/** One per module and process, because C_Initialize applies to the whole process. @throws {RootKeyError} */
export function loadCryptoki(path: string): Promise<Cryptoki> {
  let module = loaded.get(path);
  if (module === undefined) {
    module = load(path);
    loaded.set(path, module);
    module.catch(() => loaded.delete(path));
  }
  return module;
}

async function load(path: string): Promise<Cryptoki> {
  let list: unknown;
  try {
    const library = koffi.load(path);
    libraries.push(library);
    const pointer = Buffer.alloc(ULONG);
    const result = Number(library.func('ulong C_GetFunctionList(uint8_t *list)')(pointer));
    if (result !== 0) throw new Error(ckr(result));
    list = pointer.readBigUInt64LE(0);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RootKeyError('missing', `The PKCS#11 module ${path} cannot be loaded: ${why}`, { cause });
  }
  const functions = Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, [index, prototype]]) => {
      // CK_VERSION has two bytes and six bytes of padding.
      const address = koffi.decode(list, ULONG + index * ULONG, 'void *');
      return [name, koffi.decode(address, koffi.proto(prototype)) as Native];
    }),
  ) as Record<CryptokiFunction, Native>;
  const call: Cryptoki['call'] = (name, ...args) =>
    new Promise((resolve, reject) => {
      functions[name].async(...args, (error, result) => {
        // Referenced here so that no buffer is collected while the module uses it.
        args.length = 0;
        if (error) reject(error);
        else resolve(Number(result));
      });
    });
  // CK_C_INITIALIZE_ARGS: four callbacks, flags, reserved.
  const args = Buffer.alloc(6 * ULONG);
  args.writeBigUInt64LE(CKF_OS_LOCKING_OK, 4 * ULONG);
  const result = await call('initialize', args);
  if (result !== 0 && result !== CKR_CRYPTOKI_ALREADY_INITIALIZED)
    throw new RootKeyError('unreachable', `The PKCS#11 module ${path} does not start: ${ckr(result)}`);
  return { call };
}

/** A list of CK_ATTRIBUTE. The buffers must live as long as the template is used. */
export function template(attributes: readonly (readonly [type: number, value: Buffer])[]): Buffer {
  const out = Buffer.alloc(attributes.length * 3 * ULONG);
  for (const [i, [type, value]] of attributes.entries()) {
    const at = i * 3 * ULONG;
    out.writeBigUInt64LE(BigInt(type), at);
    out.writeBigUInt64LE(addressOf(value), at + ULONG);
    out.writeBigUInt64LE(BigInt(value.length), at + 2 * ULONG);
  }
  return out;
}

export function addressOf(buffer: Buffer): bigint {
  return buffer.length === 0 ? 0n : koffi.address(buffer);
}

/** A copy outside the shared pool, for memory that a module points to. */
export function own(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

export function ulong(value: bigint | number): Buffer {
  const out = Buffer.allocUnsafeSlow(ULONG);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}

const NAMES: Readonly<Record<number, string>> = {
  3: 'CKR_SLOT_ID_INVALID',
  5: 'CKR_GENERAL_ERROR',
  6: 'CKR_FUNCTION_FAILED',
  48: 'CKR_DEVICE_ERROR',
  50: 'CKR_DEVICE_REMOVED',
  64: 'CKR_ENCRYPTED_DATA_INVALID',
  65: 'CKR_ENCRYPTED_DATA_LEN_RANGE',
  112: 'CKR_MECHANISM_INVALID',
  130: 'CKR_OBJECT_HANDLE_INVALID',
  160: 'CKR_PIN_INCORRECT',
  164: 'CKR_PIN_LOCKED',
  179: 'CKR_SESSION_HANDLE_INVALID',
  224: 'CKR_TOKEN_NOT_PRESENT',
  257: 'CKR_USER_NOT_LOGGED_IN',
};

/** The name of a CKR_… code. */
export function ckr(result: number): string {
  return NAMES[result] ?? `CKR 0x${result.toString(16)}`;
}
