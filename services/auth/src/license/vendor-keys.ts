/**
 * Public keys of vendors whose licenses every installation accepts: `id` is the key id in the license's
 * header, `publicKey` the `x` of an Ed25519 JWK. Empty in the open edition; the setting `licence.publicKeys`
 * adds keys.
 */
export const VENDOR_KEYS: readonly { readonly id: string; readonly publicKey: string }[] = [];
