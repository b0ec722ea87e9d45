import type { MessageInfo } from '@claviger/contracts';

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The request as a curl command. Masks the token and every field that is not public in the contract. */
export function curlCommand(
  at: { readonly baseUrl: string; readonly caFile?: string },
  request: {
    readonly method: string;
    readonly path: string;
    readonly body?: Record<string, unknown>;
    readonly hasBody?: boolean;
  },
  info?: MessageInfo,
): string {
  const parts = ['curl'];
  if (at.caFile !== undefined) parts.push('--cacert', quote(at.caFile));
  parts.push('-H', quote('Authorization: Bearer ***'));
  if (request.method !== 'GET') parts.push('-X', request.method);
  if (request.hasBody) parts.push('-H', quote('Content-Type: application/json'), '--data', '@-');
  if (request.body !== undefined) {
    const shown = Object.fromEntries(
      Object.entries(request.body).map(([name, value]) => [
        name,
        info?.byJsonName.get(name)?.public === true ? value : '***',
      ]),
    );
    parts.push('-H', quote('Content-Type: application/json'), '--data', quote(JSON.stringify(shown)));
  }
  parts.push(quote(`${at.baseUrl}${request.path}`));
  return parts.join(' ');
}
