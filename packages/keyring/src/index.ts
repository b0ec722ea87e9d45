export { awsKmsProvider } from './aws-kms/aws-kms-provider.ts';
export { checkCanary, createCanary } from './canary.ts';
export type { SecretIds } from './content-key.ts';
export { createRootKeyFile } from './create-root-key-file.ts';
export {
  decryptSecret,
  type EncryptedSecret,
  encryptSecret,
  MAX_SECRET_BYTES,
  rewrapDek,
} from './encrypt-secret.ts';
export { fileRootKeyProvider } from './file-root-key-provider.ts';
export {
  DEFAULT_SYMBOLS,
  generatePassword,
  MAX_PASSWORD_LENGTH,
  type PasswordPolicy,
  PasswordPolicyError,
} from './generate-password.ts';
export { IntegrityError, type IntegrityReason } from './integrity-error.ts';
export {
  createKek,
  Kek,
  KekDisposedError,
  type KekIds,
  MAX_WRAPS_PER_KEK,
  openKek,
  rewrapKek,
} from './kek.ts';
export { createKeyCache, type KeyCache } from './key-cache.ts';
export { keyCheckOf } from './local-root-key.ts';
export { mountedSecretProvider } from './mounted-secret-provider.ts';
export { openRootKey, type RootKeyConfig, rootKeySchema } from './root-key-config.ts';
export {
  RootKeyError,
  type RootKeyErrorCode,
  type RootKeyHealth,
  type RootKeyKind,
  type RootKeyProvider,
} from './root-key-provider.ts';
export { combineShares, type Share, splitSecret } from './shamir/shamir.ts';
export { shamirProvider } from './shamir/shamir-provider.ts';
