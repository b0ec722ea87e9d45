import { readPrivateFile } from '../private-file.ts';
import { RootKeyError } from '../root-key-provider.ts';
import type { AwsCredentials } from './signature-v4.ts';

const MAX_BYTES = 16_384;

/**
 * Credentials in the format of `~/.aws/credentials`: `aws_access_key_id`, `aws_secret_access_key`,
 * `aws_session_token` under `[default]`. Read before each call, so that a renewed file takes effect at once.
 *
 * @throws {RootKeyError}
 */
export async function readAwsCredentials(path: string): Promise<AwsCredentials> {
  const content = await readPrivateFile(path, {
    what: 'AWS credentials',
    maxBytes: MAX_BYTES,
    groupMayRead: true,
  });
  const values = new Map<string, string>();
  let section = 'default';
  for (const line of content.toString('utf8').split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]\s*$/.exec(line);
    if (header) section = header[1]!.trim();
    const pair = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line);
    if (pair && section === 'default') values.set(pair[1]!, pair[2]!);
  }
  content.fill(0);
  const accessKeyId = values.get('aws_access_key_id');
  const secretAccessKey = values.get('aws_secret_access_key');
  if (!accessKeyId || !secretAccessKey)
    throw new RootKeyError(
      'unreadable',
      `The AWS credentials file ${path} must contain aws_access_key_id and aws_secret_access_key under [default].`,
    );
  return { accessKeyId, secretAccessKey, sessionToken: values.get('aws_session_token') };
}
