import { pollUntil } from '@claviger/api-client/poll';
import { parseSeconds } from '@claviger/terminal/duration';
import { escapeText } from '@claviger/terminal/escape';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { fieldsText } from '../contract/cells.ts';
import type { Running } from '../contract/noun.ts';
import { printForPrograms } from '../contract/print-answer.ts';
import { type AccessRequest, decisionsText, requestFields } from '../contract/request-view.ts';

interface Answer {
  readonly request: AccessRequest;
}

/** The command `request`. With --wait, its exit code tells the decision. */
export async function requestAccess({ invoke, options, format }: Running, wanted: object): Promise<ExitCode> {
  const timeoutMs = parseSeconds(String(options.timeout), '--timeout') * 1000;
  let { request } = await invoke<Answer>('CreateRequest', wanted);
  if (options.wait) {
    const { id } = request;
    tell(`waiting for a decision on ${id}: approvers find it with \`claviger requests --decidable\``);
    request = await pollUntil(
      async () => (await invoke<Answer>('GetRequest', { requestId: id })).request,
      ({ status }) => status !== 'pending',
      { timeoutMs, everyMs: 2_000 },
    );
  }
  if (!(await printForPrograms(format, request))) say(fieldsText(requestFields(request), request));
  if (!options.wait) return EXIT.ok;
  const { text, exitCode } = outcomeOf(request);
  tell(text);
  return exitCode;
}

/** What became of a request, with the next step, and its exit code. */
export function outcomeOf(request: AccessRequest): { readonly text: string; readonly exitCode: ExitCode } {
  const { id, status, grantId } = request;
  const outcome = `${status}${escapeText(decisionsText(request))}`;
  if (status === 'approved')
    return {
      text: `${outcome}: receive the credential with \`claviger get ${grantId || id}\``,
      exitCode: EXIT.ok,
    };
  if (status === 'pending')
    return {
      text: `still pending: check it with \`claviger requests\`, or cancel it with \`claviger cancel ${id}\``,
      exitCode: EXIT.pending,
    };
  return {
    text: `${outcome}: request again with another reason or a shorter time if you still need access`,
    exitCode: EXIT.denied,
  };
}
