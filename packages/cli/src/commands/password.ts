import type { Verb } from '../contract/noun.ts';

export const command: Verb = {
  call: 'ChangeMyPassword',
  about: 'change your password; both passwords are prompted for, or read from a pipe or files',
  example: 'password',
  bare: true,
  options: [
    '--password-stdin  read the current password from the first line of standard input, the new one from the second',
    '--current-file <file>  read the current password from the first line of a file',
    '--new-file <file>  read the new password from the first line of a file',
  ],
  prepare: async ({ options }) => (await import('../flows/passwords.ts')).newPasswords(options),
  told: 'changed; your other sessions have ended',
};
