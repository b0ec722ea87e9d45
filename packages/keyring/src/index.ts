export { checkCanary, createCanary } from './canary.ts';
export type { SecretIds } from './content-key.ts';
export { createRootKeyFile } from './create-root-key-file.ts';
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
export {
  RootKeyError,
  type RootKeyErrorCode,
  type RootKeyHealth,
  type RootKeyProvider,
} from './root-key-provider.ts';
export { MAX_SECRET_BYTES, openSecret, rewrapCek, type SealedSecret, sealSecret } from './seal-secret.ts';
