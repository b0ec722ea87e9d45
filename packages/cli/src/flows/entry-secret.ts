import { tell } from '@claviger/terminal/output';
import { readSecret } from '@claviger/terminal/secret-input';
import { inputName, readBytes } from '@claviger/terminal/text-input';
import { refuse } from '../contract/refuse.ts';

const MAX_FILE_BYTES = 49_152;
/** Types whose secret is usually one line. */
const ONE_LINE_TYPES = new Set(['password', 'api-key']);

/** The secret of a new entry; none if the vault generates it. */
export async function newSecret(
  generate: boolean,
  type: string,
  file: string | undefined,
): Promise<{ readonly secret?: string }> {
  if (!generate) return { secret: await secretOf(type, file) };
  if (file !== undefined) throw refuse('give one of --generate and --secret-file');
  return {};
}

/** The secret for an entry of this type, as the API takes it, from a file or from standard input. */
export async function secretOf(type: string, file: string | undefined): Promise<string> {
  if (type === 'file') return (await fileOf(file)).toString('base64');
  const secret = await readSecret(
    file,
    'store the bytes in an entry of type file: `claviger entries create NAME --type file`',
  );
  if (secret.includes('\n') && ONE_LINE_TYPES.has(type))
    tell(
      `${inputName(file)} contains several lines: the secret is the whole content, including the line ends`,
    );
  return secret;
}

async function fileOf(file: string | undefined): Promise<Buffer> {
  const bytes = await readBytes(file);
  if (bytes.length === 0) throw refuse(`${inputName(file)} is empty`);
  if (bytes.length > MAX_FILE_BYTES)
    throw refuse(
      `${inputName(file)} has ${bytes.length} bytes; an entry of type file has at most ${MAX_FILE_BYTES} (48 KiB): store the file encrypted elsewhere, and its key here`,
    );
  return bytes;
}
