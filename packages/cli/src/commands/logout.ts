import type { Verb } from '../contract/noun.ts';

export const command: Verb = {
  call: 'Logout',
  about: 'end the session and delete its tokens',
  run: async (running) => (await import('../flows/sign-out.ts')).signOut(running),
};
