import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseSignedTreeHead, type SignedReceipt, type SignedTreeHead } from '@claviger/merkle';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readText } from '@claviger/terminal/text-input';

const MAX_HEADS_BYTES = 64 * 1024 * 1024;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads saved tree heads: one JSON object, or one on each line. Throws a usage error that names the invalid
 * line.
 */
export async function readHeads(file: string): Promise<SignedTreeHead[]> {
  const text = await readText(file, { maxBytes: MAX_HEADS_BYTES });
  const whole = parse(text);
  const values =
    whole === undefined
      ? text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(parse)
      : [whole];
  if (values.length === 0) throw new CommandError(`${file} is empty`, EXIT.usage);
  return values.map((value, index) => {
    const head = parseSignedTreeHead(value);
    if (head === undefined)
      throw new CommandError(`${file}, line ${index + 1}, is not a signed tree head`, EXIT.usage);
    return head;
  });
}

export interface AuditKeys {
  readonly treeHead: readonly KeyObject[];
  readonly receipt: readonly KeyObject[];
}

/**
 * Reads public keys: a file of `claviger audit keys --save`, in which each key has a purpose, or PEM, for
 * every purpose.
 */
export async function readPublicKeys(file: string): Promise<AuditKeys> {
  const text = await readText(file);
  const value = parse(text);
  if (value === undefined) {
    const pems = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
    const keys = pems.map((pem) => publicKey(file, pem));
    if (keys.length === 0) throw new CommandError(`${file} holds no public key`, EXIT.usage);
    return { treeHead: keys, receipt: keys };
  }
  const items = (value as { items?: unknown }).items;
  if (!Array.isArray(items)) throw new CommandError(`${file} is not a list of public keys`, EXIT.usage);
  const of = (purpose: string) =>
    (items as { purpose?: unknown; publicKey?: unknown }[])
      .filter((item) => item?.purpose === purpose)
      .map((item) => publicKey(file, String(item.publicKey)));
  return { treeHead: of('tree-head'), receipt: of('receipt') };
}

function publicKey(file: string, pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new CommandError(`${file} holds a public key that cannot be read`, EXIT.usage, { cause });
  }
}

/** Reads a receipt, alone or in the output of `claviger get -o json`. Does not verify it. */
export async function readReceipt(file: string): Promise<SignedReceipt> {
  const value = parse(await readText(file));
  const receipt = (value as { receipt?: unknown } | null | undefined)?.receipt ?? value;
  if (
    typeof receipt === 'object' &&
    receipt !== null &&
    typeof (receipt as SignedReceipt).leafHash === 'string'
  )
    return receipt as SignedReceipt;
  throw new CommandError(`${file} holds no receipt`, EXIT.usage);
}
