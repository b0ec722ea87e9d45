/**
 * Public keys of vendors whose licences every installation takes: `id` is the key id in the licence's header, `publicKey` the
 * `x` of an Ed25519 JWK. None sells licences of the open edition yet; further keys come from the setting
 * `licence.publicKeys`.
 */
export const VENDOR_KEYS: readonly { readonly id: string; readonly publicKey: string }[] = [];
