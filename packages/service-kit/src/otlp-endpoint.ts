const WRITTEN = /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?(?:\/[\x21-\x7e]*)?$/;

/**
 * Describes what is wrong with a base URL for OTLP over HTTP, as text to follow the name of its setting;
 * undefined when it is valid. Quotes nothing of the URL: it may contain a password by mistake.
 */
export function otlpEndpointProblem(text: string): string | undefined {
  if (/^grpcs?:\/\//i.test(text))
    return 'OTLP over gRPC is not supported: give the HTTP endpoint, usually port 4318';
  if (!/^https?:\/\//.test(text)) return 'must begin with http:// or https://, e.g. http://127.0.0.1:4318';
  const url = URL.parse(text);
  if (url && (url.username !== '' || url.password !== '')) return 'must not contain a user name or password';
  if (/[?#]/.test(text)) return 'must not contain a query or fragment';
  const host = WRITTEN.exec(text)?.[1];
  if (!url || host === undefined || text.includes('\\') || url.port === '0')
    return 'must be a URL such as http://127.0.0.1:4318';
  // The URL parser reads a bare number, e.g. a port without its host, as an IPv4 address.
  if (!host.startsWith('[') && url.hostname !== host.toLowerCase())
    return 'must name a host: a name or an address such as 127.0.0.1';
  if (/\/v1\/traces\/?$/.test(url.pathname)) return 'must end before /v1/traces, which is appended';
  return undefined;
}
