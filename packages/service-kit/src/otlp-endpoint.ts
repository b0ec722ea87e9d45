const WRITTEN = /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?(?:\/[\x21-\x7e]*)?$/;

/**
 * What is wrong with a base URL for OTLP over HTTP, in words that fit behind the name of its setting; undefined when nothing
 * is. Repeats nothing of it: a user name or password may stand there by mistake.
 */
export function otlpEndpointProblem(text: string): string | undefined {
  if (/^grpcs?:\/\//i.test(text))
    return 'OTLP over gRPC is not spoken: give the HTTP endpoint, usually port 4318';
  if (!/^https?:\/\//.test(text)) return 'must begin with http:// or https://, e.g. http://127.0.0.1:4318';
  const url = URL.parse(text);
  if (url && (url.username !== '' || url.password !== '')) return 'may hold no user name and no password';
  if (/[?#]/.test(text)) return 'may have no query and no fragment';
  const host = WRITTEN.exec(text)?.[1];
  if (!url || host === undefined || text.includes('\\') || url.port === '0')
    return 'must be a URL such as http://127.0.0.1:4318';
  // A number that a URL takes for an address, e.g. a port without its host.
  if (!host.startsWith('[') && url.hostname !== host.toLowerCase())
    return 'must name a host: a name or an address such as 127.0.0.1';
  if (/\/v1\/traces\/?$/.test(url.pathname)) return 'must end before /v1/traces, which is appended';
  return undefined;
}
