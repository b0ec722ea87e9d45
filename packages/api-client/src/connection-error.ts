import { CommandError } from '@claviger/terminal/exit-codes';

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);
const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

const lost = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', ...timeouts]);
lost.delete('UND_ERR_CONNECT_TIMEOUT');

/** The request was sent without an answer: the server may have executed it. */
export class LostAnswer extends CommandError {}

/**
 * The error for a request without an answer: the cause and the next step. The request may have had an effect.
 */
export function connectionError(baseUrl: string, cause: unknown): CommandError {
  const code = codeOf(cause);
  const Kind = code !== undefined && lost.has(code) ? LostAnswer : CommandError;
  return new Kind(`${baseUrl} ${explanation(code, cause)}`, undefined, { cause });
}

function explanation(code: string | undefined, cause: unknown): string {
  if (code === 'ECONNREFUSED')
    return 'does not listen: is it running? `claviger status` shows the local one, `claviger up` starts it';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'cannot be found by its name: check --server or CLAVIGER_ADDR';
  if (code !== undefined && untrusted.has(code))
    return 'shows a certificate that is not trusted: give its CA with --ca FILE or CLAVIGER_CA (`claviger up` prints where it lies)';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'shows a certificate that is not valid now: check the clocks, or renew the certificate';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'shows a certificate for another name: use the name that the server was set up with';
  if (code !== undefined && timeouts.has(code))
    return 'did not answer in time: look at what the request did before repeating it';
  return `could not be reached: ${cause instanceof Error ? cause.message : String(cause)}`;
}

function codeOf(cause: unknown): string | undefined {
  for (let error = cause; error instanceof Error; error = error.cause) {
    // Several addresses were tried: the error of the last one is shown.
    if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors.at(-1));
    if ('code' in error && typeof error.code === 'string') return error.code;
  }
  return undefined;
}
