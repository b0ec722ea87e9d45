import type { Reason } from '@claviger/errors';

/** What a command's exit code says. Stable: scripts depend on it. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  denied: 3,
  pending: 4,
  notFound: 5,
  conflict: 6,
  sealed: 7,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that a command explains in one message, with the exit code that goes with it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.error, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The exit code for a refusal by a service; 1 for every reason without a code of its own. */
export function exitCodeOf(reason: Reason): ExitCode {
  switch (reason) {
    case 'unauthenticated':
    case 'denied':
    case 'step_up_required':
      return EXIT.denied;
    case 'not_found':
    case 'gone':
      return EXIT.notFound;
    case 'conflict':
    case 'already_exists':
    case 'precondition_failed':
      return EXIT.conflict;
    case 'sealed':
      return EXIT.sealed;
    case 'invalid':
      return EXIT.usage;
    default:
      return EXIT.error;
  }
}
