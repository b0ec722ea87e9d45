import { combineShares, keyCheckOf } from '@claviger/keyring';
import { expect, test } from 'vitest';
import { parseShare } from './share-text.ts';

/** Printed by `unseal --init` before this test was written: 3 of 5, for vault and auth. Never change them. */
const PRINTED = [
  'claviger-share-1-AwUBA0SfFKmrzVsooEYw6xZ44Q-GZWmzzB_R-gGA88MT381wM55YloNHzTKg2X8zXH_KsVSupxjlQK8qQnR4gxOvTErHaRqv7GJq7_nPD4yG6ExvVAKQpg',
  'claviger-share-1-AwUCA0SfFKmrzVsow82-0NR9f_Dekk8Wy43f71hL265WNKZsU6XqJxs6Kgag2X8zXH_KsVGqPxyGOn_Y5Vc-IL2at0LiSzOVP6nb_khDnuvOj_uE12Z94g',
  'claviger-share-1-AwUDA0SfFKmrzVsoEFm_HHBOUgKKamDrmRHIyskSvvMN99ImuHJQmjglwjCg2X8zXH_KsRoT_39j4O5DvCqJH3HY3lo3iNZFeWyua3cGktXAdJXAu7wDUw',
  'claviger-share-1-AwUEA0SfFKmrzVsoPFw2Gap8OAJsPhMs3SsoTPJmJuDirnaz1vV1nBT3BqOg2X8zXH_Ksc4L9gdQ_Udo1xMQOrLiAfL2mAjv__E0iywUAJR375_yavvT1Q',
  'claviger-share-1-AwUFA0SfFKmrzVso78g31Q5PFfA4xjzRj7c_aWM_Q725bQL5PSLPITfo7pWg2X8zXH_KsYWyNmS1J9bzjm6nBX6gaOojW-0_uTRBHhNRDKp5FPG28OPuhw',
];
const KEY_CHECKS = { vault: '449f14a9abcd5b28', auth: 'a0d97f335c7fcab1' } as const;

test.each(Object.entries(KEY_CHECKS) as [keyof typeof KEY_CHECKS, string][])(
  'shares printed by an older release still restore the root key of %s',
  (service, keyCheck) => {
    const parts = PRINTED.map((text) => parseShare(text).parts.get(service)!);
    expect(parts.map((part) => part.keyCheck)).toEqual(PRINTED.map(() => keyCheck));
    for (const [a, b, c] of [
      [0, 1, 2],
      [4, 2, 0],
      [3, 1, 4],
    ] as const)
      expect(keyCheckOf(combineShares([parts[a]!, parts[b]!, parts[c]!]))).toBe(keyCheck);
  },
);
