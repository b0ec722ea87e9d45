import { type FileHandle, rm } from 'node:fs/promises';
import { escapeLines } from './escape.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { createFile } from './new-file.ts';
import { say, tell } from './output.ts';
import { type OutputFormat, showJson } from './show.ts';

/** Where a disclosed secret goes. */
export interface SecretOutputOptions {
  readonly show?: boolean;
  readonly outputFile?: string;
  readonly receiptFile?: string;
}

/** A secret that the server disclosed, with the proof of it. */
export interface Disclosure {
  readonly username: string;
  readonly secret: string;
  /** The entry's. Of the type `file`, the secret is its bytes in base64. */
  readonly type?: string;
  readonly version: number;
  readonly host?: string;
  readonly port?: number;
  readonly receipt: object | undefined;
}

/** The places that were made ready for a secret, before it is asked for: it may be shown only once. */
export interface SecretOutput {
  deliver(disclosure: Disclosure): Promise<void>;
  /** Removes the files that were made, when nothing came. */
  abandon(): Promise<void>;
}

/** Opens the files, or throws a usage error when there is no good place to put a secret. */
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
  // A terminal gets no control characters; a pipe gets exactly the secret, and a secret of one line is ended
  // as a line.
  if (process.stdout.isTTY) {
    if (disclosure.type === 'file') tell('the file, in base64:');
    say(escapeLines(secret).replace(/\n$/, ''));
  } else if (disclosure.type === 'file' || secret.includes('\n')) process.stdout.write(bytes);
  else say(secret);
}

/** What a secret or a receipt may need, in bytes. */
const RESERVED = 65_536;

/** Takes the space now: a disk that is full when the secret has come would lose it. */
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
