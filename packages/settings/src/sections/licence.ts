import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Keys whose licenses are accepted, besides the built-in ones. */
export const licence = defineSection('licence', {
  services: ['auth'],
  keys: {
    publicKeys: setting({
      scope: 'platform',
      schema: z
        .array(
          z.strictObject({
            id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be letters, digits and . _ - only'),
            /** The `x` of an Ed25519 JWK: 32 bytes in base64url. */
            publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be an Ed25519 public key in base64url'),
          }),
        )
        .max(20)
        .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'names an id twice'),
      default: [],
      description:
        'Additional Ed25519 keys that may sign licenses: `id` and `publicKey` (32 bytes, base64url).',
    }),
  },
});
