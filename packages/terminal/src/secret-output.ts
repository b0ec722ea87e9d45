import { type FileHandle, rm } from 'node:fs/promises';
import { escapeLines } from './escape.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { createFile } from './new-file.ts';
import { say, tell } from './output.ts';
import { type OutputFormat, showJson } from './show.ts';

/** The destination of a disclosed secret. */
export interface SecretOutputOptions {
  readonly show?: boolean;
  readonly outputFile?: string;
  readonly receiptFile?: string;
}

/** A disclosed secret with its receipt. */
export interface Disclosure {
  readonly username: string;
  readonly secret: string;
  /** Type of the entry. For the type `file`, the secret is base64. */
  readonly type?: string;
  readonly version: number;
  readonly host?: string;
  readonly port?: number;
  readonly receipt: object | undefined;
}

/** Destinations that are opened before the secret is requested, because it may be returned only once. */
export interface SecretOutput {
  deliver(disclosure: Disclosure): Promise<void>;
  /** Removes the created files if no secret was received. */
  abandon(): Promise<void>;
}

/** Opens the files. Throws a usage error if there is no safe destination for the secret. */
export async function prepareSecretOutput(
  options: SecretOutputOptions,
  format: OutputFormat,
): Promise<SecretOutput> {
  const { outputFile, receiptFile } = options;
  if (process.stdout.isTTY && !options.show && outputFile === undefined && format !== 'json') {
    throw new CommandError(
      'a secret is printed on a terminal only with --show: give it, pipe the output, or give --output-file FILE',
      EXIT.usage,
    );
  }
  const files: { path: string; handle: FileHandle }[] = [];
  const create = async (path: string | undefined): Promise<FileHandle | undefined> => {
    if (path === undefined) return undefined;
    const handle = await createFile(path);
    files.push({ path, handle });
    await reserve(path, handle);
    return handle;
  };
  const abandon = async () => {
    for (const { path, handle } of files) {
      await handle.close();
      await rm(path, { force: true });
    }
  };
  try {
    const secretFile = await create(outputFile);
    const receipt = await create(receiptFile);
    return { deliver: (disclosure) => deliver(disclosure, secretFile, receipt, options, format), abandon };
  } catch (error) {
    await abandon();
    throw error;
  }
}

async function deliver(
  disclosure: Disclosure,
  secretFile: FileHandle | undefined,
  receiptFile: FileHandle | undefined,
  { outputFile, receiptFile: receiptPath }: SecretOutputOptions,
  format: OutputFormat,
): Promise<void> {
  const { secret, receipt, ...rest } = disclosure;
  const bytes = Buffer.from(secret, disclosure.type === 'file' ? 'base64' : 'utf8');
  if (secretFile !== undefined) {
    await writeAndClose(secretFile, bytes);
    tell(`the secret is in ${outputFile}: remove it when you are done`);
  }
  if (receiptFile !== undefined) {
    await writeAndClose(receiptFile, `${JSON.stringify(receipt ?? null)}\n`);
    tell(`the receipt is in ${receiptPath}`);
  }
  if (format === 'json') return showJson(secretFile === undefined ? disclosure : { ...rest, receipt });
  const at = disclosure.host ? ` at ${disclosure.host}${disclosure.port ? `:${disclosure.port}` : ''}` : '';
  if (disclosure.username !== '') tell(escapeLines(`user ${disclosure.username}${at}`));
  if (secretFile !== undefined) return;
  // A terminal receives no control characters. A pipe receives exactly the secret; a secret of one line gets
  // a line end.
  if (process.stdout.isTTY) {
    if (disclosure.type === 'file') tell('the file, in base64:');
    say(escapeLines(secret).replace(/\n$/, ''));
  } else if (disclosure.type === 'file' || secret.includes('\n')) process.stdout.write(bytes);
  else say(secret);
}

/** Most bytes of a secret or a receipt. */
const RESERVED = 65_536;

/** Reserves the space in advance, because a full disk would lose the received secret. */
async function reserve(path: string, file: FileHandle): Promise<void> {
  await file.writeFile(Buffer.alloc(RESERVED)).catch((cause: Error) => {
    throw new CommandError(`there is not enough disk space for ${path}: ${cause.message}`, EXIT.error, {
      cause,
    });
  });
}

async function writeAndClose(file: FileHandle, content: string | Buffer): Promise<void> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
  await file.truncate(bytes.length);
  await file.sync();
  await file.close();
}
