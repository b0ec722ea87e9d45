import { z } from 'zod';
import { awsKmsProvider } from './aws-kms/aws-kms-provider.ts';
import { fileRootKeyProvider } from './file-root-key-provider.ts';
import { mountedSecretProvider } from './mounted-secret-provider.ts';
import type { RootKeyProvider } from './root-key-provider.ts';

const path = z.string().min(1);

/** AWS requires https; plain HTTP is only for this machine. */
const endpoint = z.url().refine((text) => {
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
  );
}, 'must be an https URL');

/** The source of a service's root key. Contains paths of files, never the key, a PIN or a credential. */
export const rootKeySchema = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('file'), path }),
  z.strictObject({ provider: z.literal('kubernetes-secret'), path }),
  z.strictObject({
    provider: z.literal('pkcs11'),
    module: path,
    tokenLabel: z.string().min(1).max(32),
    keyLabel: z.string().min(1),
    pinFile: path,
  }),
  z.strictObject({
    provider: z.literal('aws-kms'),
    keyArn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
        'must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID',
      ),
    credentialsFile: path,
    endpoint: endpoint.optional(),
    caFile: path.optional(),
  }),
  z.strictObject({ provider: z.literal('shamir') }),
]);

export type RootKeyConfig = z.infer<typeof rootKeySchema>;

/**
 * Opens the configured provider; undefined for `shamir`, whose key people provide.
 *
 * @throws {RootKeyError} when the root key is not available now.
 */
export async function openRootKey(config: RootKeyConfig): Promise<RootKeyProvider | undefined> {
  switch (config.provider) {
    case 'file':
      return fileRootKeyProvider(config);
    case 'kubernetes-secret':
      return mountedSecretProvider(config);
    case 'pkcs11': {
      // Loads a native module, which only users of a token need.
      const { pkcs11Provider } = await import('./pkcs11/pkcs11-provider.ts');
      return pkcs11Provider(config);
    }
    case 'aws-kms':
      return awsKmsProvider(config);
    case 'shamir':
      return undefined;
  }
}
