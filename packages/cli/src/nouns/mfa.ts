import type { Noun, Running } from '../contract/noun.ts';

const work = () => import('../flows/second-factor.ts');
const codes = {
  told: 'recovery codes, shown once; each replaces the second factor once. Keep them apart from it:',
  line: '{recoveryCodes}',
};

export const noun: Noun = {
  about: 'your own second factor',
  services: [],
  verbs: {
    setup: {
      call: 'SetupMfa',
      about: 'create a second factor for an authenticator app; it takes effect after `mfa confirm`',
      options: [
        '--password-stdin  read the password from standard input; otherwise a prompt asks for it if the sign-in is older than five minutes',
      ],
      run: async (running: Running) => (await work()).newFactor(running),
      fields: ['secret  secret; address  otpauthUri'],
      after: 'enter the secret or the address in an authenticator app, then run: claviger mfa confirm',
    },
    confirm: {
      call: 'VerifyMfa',
      about: 'confirm the second factor with a code of the app; shows the recovery codes once',
      bare: true,
      code: true,
      run: async (running) => (await work()).confirmFactor(running),
      ...codes,
    },
    prove: {
      call: 'CompleteMfaChallenge',
      about: 'use the second factor again: commands that require a recent one then work for ten minutes',
      bare: true,
      code: true,
      run: async (running) => (await work()).proveFactor(running),
      quiet: true,
    },
    disable: {
      call: 'DisableMfa',
      about: 'disable the second factor',
      confirm: 'disable your second factor?',
      code: true,
      told: 'the second factor is off',
    },
    'recovery-codes': {
      call: 'RegenerateRecoveryCodes',
      about: 'create new recovery codes; the old ones stop working',
      code: true,
      ...codes,
    },
  },
};
