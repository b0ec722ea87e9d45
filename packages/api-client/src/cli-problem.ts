import { REASONS } from '@claviger/errors';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';

/** Fields of a problem document (RFC 9457) that have the expected types. */
export interface ProblemFields {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint?: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly retryAfterSeconds?: number;
  readonly approvalRequestId?: string;
  readonly correlationId?: string;
}

/** The server refused or failed. The message says what to do next; the exit code follows from the status. */
export class CliProblem extends CommandError {
  readonly problem: ProblemFields;

  constructor(problem: ProblemFields) {
    super(messageOf(problem), exitCodeOfProblem(problem));
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code;
  }
}

/**
 * 401 and 403 → 3, 404 → 5, 409 and 412 → 6, sealed → 7, another 4xx about the request itself → 2, else 1.
 */
export function exitCodeOfProblem({ status, code, title }: ProblemFields): ExitCode {
  if (code === 'sealed' || (status === 503 && title === REASONS.sealed.title)) return EXIT.sealed;
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 404) return EXIT.notFound;
  if (status === 409 || status === 412) return EXIT.conflict;
  return status === 400 || status === 413 || status === 415 || status === 422 ? EXIT.usage : EXIT.error;
}

function messageOf(problem: ProblemFields): string {
  const { title, detail, status } = problem;
  const said = detail || `the server answered ${status}`;
  const lines = [said.replace(/\.$/, '') === title ? title : `${title}: ${said}`];
  for (const { pointer, detail } of problem.errors)
    lines.push(pointer === '' ? detail : `${pointer} ${detail}`);
  // The hint names the route; here it is a command.
  const proves = problem.code === 'mfa_not_satisfied';
  if (problem.hint !== undefined && !proves) lines.push(problem.hint);
  if (problem.status === 401) lines.push('sign in with `claviger login`');
  if (proves) lines.push('prove it with `claviger mfa prove`; `claviger mfa setup` sets one up');
  if (problem.retryAfterSeconds !== undefined) lines.push(`try again in ${problem.retryAfterSeconds} s`);
  if (problem.approvalRequestId !== undefined) lines.push(`request ${problem.approvalRequestId}`);
  if (problem.correlationId !== undefined) lines.push(`correlation id ${problem.correlationId}`);
  lines.push(`\`claviger explain ${problem.code}\` tells more`);
  return lines.map((line) => escapeText(line)).join('\n  ');
}

/** Parses a problem document. Other content is not shown. */
export function problemFrom(
  status: number,
  body: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): CliProblem {
  const json = parseObject(body);
  const text = (name: string) => (typeof json[name] === 'string' ? (json[name] as string) : undefined);
  const retryAfter = Number(headers['retry-after']);
  const hint = text('hint');
  const approvalRequestId = text('approvalRequestId');
  const correlationId = text('correlationId');
  const errors = Array.isArray(json.errors) ? (json.errors as unknown[]) : [];
  return new CliProblem({
    status,
    code: text('code') ?? `http_${status}`,
    title: text('title') ?? 'The server refused',
    detail: text('detail') ?? '',
    errors: errors.flatMap((each) => {
      const { pointer, detail } = (each ?? {}) as Record<string, unknown>;
      return typeof pointer === 'string' && typeof detail === 'string' ? [{ pointer, detail }] : [];
    }),
    ...(hint === undefined ? {} : { hint }),
    ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
    ...(approvalRequestId === undefined ? {} : { approvalRequestId }),
    ...(correlationId === undefined ? {} : { correlationId }),
  });
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
