import type { Reason } from '@claviger/errors';

/** Exit codes of commands. Stable: scripts depend on them. */
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

/** A failure with its message and exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.error, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The exit code for a problem of a service; 1 for reasons without their own code. */
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
