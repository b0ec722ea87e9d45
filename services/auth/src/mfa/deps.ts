import type { SignInDeps } from '../sign-in/deps.ts';

/** A second factor completes a sign-in, so its operations need the same. */
export type MfaDeps = SignInDeps;
