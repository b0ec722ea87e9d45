import { createOutboundClient, type OutboundResponse } from '@claviger/outbound';
import type { ConnectorContext } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { trustOf } from '../network/tls.ts';
import type { HttpAnswer, HttpConfig, HttpRequest } from './config.ts';
import { valueAt } from './json-pointer.ts';
import { fill, fillJson, MissingValueError, type Values } from './template.ts';

const TOTAL_TIMEOUT_MS = 10_000;

/**
 * Sends one request with all values filled in and returns the answer. Does not follow redirects. Throws
 * ConnectorError (`configuration`) before anything is sent; later, the errors of the outbound client.
 */
export async function send(
  config: HttpConfig,
  request: HttpRequest,
  values: Values,
  ctx: ConnectorContext,
  beforeSend?: () => Promise<void>,
): Promise<OutboundResponse> {
  const trust = trustOf(config.tls);
  const client = createOutboundClient({
    policy: ctx.allow,
    schemes: [trust === undefined ? 'http' : 'https'],
    allowAddresses: true,
    connectTimeoutMs: ctx.connectTimeoutMs,
    totalTimeoutMs: Math.min(ctx.operationTimeoutMs, TOTAL_TIMEOUT_MS),
    plainReach: 'loopback',
    ...(trust === undefined ? {} : { trust }),
  });
  const filled = fillRequest(config, request, values, trust === undefined ? 'http' : 'https');
  return client.request({
    ...filled,
    method: request.method,
    signal: ctx.signal,
    redirect: 'manual',
    ...(beforeSend === undefined ? {} : { beforeSend }),
  });
}

function fillRequest(config: HttpConfig, request: HttpRequest, values: Values, scheme: string) {
  if (!isUserName(values.username))
    throw new ConnectorError(
      'configuration',
      'A user name has 1 to 255 characters, no control characters, and no blank at either end.',
    );
  if (request.path.includes('{username}') && /^\.{1,2}$/.test(values.username))
    throw new ConnectorError('configuration', 'This user name cannot be part of a URL.');
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  try {
    return {
      url: `${scheme}://${host}:${config.port}${fill(request.path, values, encodeURIComponent)}`,
      ...content(request, values),
    };
  } catch (error) {
    if (error instanceof MissingValueError) throw new ConnectorError('configuration', error.message);
    throw error;
  }
}

/** Any well-formed text; it is percent-encoded in a URL. */
function isUserName(name: string): boolean {
  return name.isWellFormed() && /^(?!\s)\P{Cc}{1,255}$/u.test(name) && !/\s$/u.test(name);
}

function content(request: HttpRequest, values: Values) {
  const headers = new Map(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), fill(value, values)]),
  );
  for (const [name, value] of headers)
    if (!/^[\x20-\x7e]*$/.test(value))
      throw new ConnectorError(
        'configuration',
        `The header ${name} would contain more than printable ASCII.`,
        {
          hint: 'Send the user name and the password with basicAuth or in the body, which accept UTF-8.',
        },
      );
  const { basicAuth, body } = request;
  if (basicAuth !== undefined) {
    const user = fill(basicAuth.username, values);
    if (user.includes(':'))
      throw new ConnectorError(
        'configuration',
        'A user name with a colon cannot be sent with Basic authentication.',
        { hint: 'Describe a login whose body contains the user name.' },
      );
    const pair = Buffer.from(`${user}:${fill(basicAuth.password, values)}`, 'utf8').toString('base64');
    headers.set('authorization', `Basic ${pair}`);
  }
  headers.set('accept', headers.get('accept') ?? 'application/json');
  if (body === undefined) return { headers: Object.fromEntries(headers) };
  const isJson = body.type === 'json';
  if (!headers.has('content-type'))
    headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded');
  return {
    headers: Object.fromEntries(headers),
    body: isJson
      ? JSON.stringify(fillJson(body.value, values))
      : new URLSearchParams(
          Object.entries(body.value).map(([name, value]) => [name, fill(value, values)]),
        ).toString(),
  };
}

/** Whether an answer matches its description in the settings. */
export function matches(response: OutboundResponse, expected: HttpAnswer, values: Values): boolean {
  if (!expected.status.includes(response.status)) return false;
  if (expected.pointer === undefined) return true;
  let document: unknown;
  try {
    document = JSON.parse(response.body.toString('utf8'));
  } catch {
    return false;
  }
  const found = valueAt(document, expected.pointer);
  const { equals } = expected;
  if (equals === undefined) return found !== undefined && found !== null && found !== false;
  return found === (typeof equals === 'string' ? fill(equals, { username: values.username }) : equals);
}
