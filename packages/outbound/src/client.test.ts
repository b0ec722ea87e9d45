import { once } from 'node:events';
import { createServer as createPlain, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer as createRaw } from 'node:net';
import { openLoopback, selfSignedCertificate } from '@claviger/targets';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createOutboundClient, type OutboundClientOptions } from './client.ts';
import { outboundFetch } from './outbound-fetch.ts';
import { targetPolicy } from './target-policy.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let answer: RequestListener;
let seen: Seen[];
const listener: RequestListener = (request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body });
    answer(request, response);
  });
};
const first = createPlain(listener);
const second = createPlain(listener);
const tls = await selfSignedCertificate();
const other = await selfSignedCertificate();
const secure = createSecure({ key: tls.privateKey, cert: tls.certificate }, listener);
const ports: { first: number; second: number; secure: number } = { first: 0, second: 0, secure: 0 };

beforeAll(async () => {
  for (const [name, server] of Object.entries({ first, second, secure }) as [
    keyof typeof ports,
    typeof first,
  ][]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports[name] = (server.address() as AddressInfo).port;
  }
});
afterAll(() => {
  for (const server of [first, second, secure]) server.close();
});
beforeEach(() => {
  seen = [];
  answer = (_request, response) => response.end('hello');
});

const client = (more: Partial<OutboundClientOptions> = {}) =>
  createOutboundClient({
    policy: targetPolicy({ cidrs: ['127.0.0.0/8'], ports: [{ from: 1024, to: 65_535 }] }, openLoopback),
    schemes: ['https', 'http'],
    lookup: async () => [{ address: '127.0.0.1' }],
    ...more,
  });
const at = (port: number, path = '/') => `http://target.example:${port}${path}`;

test('sends the given request to the target under its given name, and returns the answer', async () => {
  const result = await client().request({
    url: at(ports.first, '/a?b=c#fragment'),
    method: 'PUT',
    headers: { Authorization: 'Basic eA==', 'content-type': 'text/plain' },
    body: 'bödy',
  });
  expect(result).toMatchObject({ status: 200, url: at(ports.first, '/a?b=c') });
  expect(String(result.body)).toBe('hello');
  expect(seen).toMatchObject([
    {
      method: 'PUT',
      url: '/a?b=c',
      body: 'bödy',
      headers: { host: `target.example:${ports.first}`, authorization: 'Basic eA==', connection: 'close' },
    },
  ]);
});

describe('H-233 an ambiguous URL is refused before any lookup', () => {
  test.each([
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0/',
    'http://0177.0.0.1/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:7f00:1::]/',
    'http://127.0.0.1/',
    'http://localhost./',
    'http://①②⑦.⓪.⓪.①/',
    'http://%31%32%37.0.0.1/',
    'http://user:secret@target.example/',
    'http://user@target.example/',
    'http://target.example\\@evil.example/',
    'http:target.example',
    'http:///target.example/',
    'http://',
    'http://target.example:99999/',
    'http://target.example:x/',
    'http://tar get.example/',
    'http://target.example/\r\nx: y',
    ' http://target.example/',
    'http+unix://%2Frun%2Fdocker.sock/',
    'http://unix:/run/docker.sock:/info',
    'ftp://target.example/',
    'file:///etc/passwd',
    'data:text/plain,x',
    '/relative',
    '',
  ])('%j', async (url) => {
    const lookup = async () => {
      throw new Error('looked up');
    };
    await expect(client({ lookup }).request({ url })).rejects.toMatchObject({
      kind: 'configuration',
      sent: false,
    });
  });
});

test('H-233 if URLs may contain addresses, the list applies to all spellings of an address', async () => {
  const open = client({
    allowAddresses: true,
    policy: targetPolicy({ cidrs: ['10.0.0.0/8'], ports: [80] }, openLoopback),
  });
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]'])
    await expect(open.request({ url: `http://${host}/` })).rejects.toMatchObject({ kind: 'not_allowed' });
  await expect(open.request({ url: 'http://127.1/' })).rejects.toMatchObject({ kind: 'configuration' });
});

test('H-232 a name with one private address among others is refused, and is looked up once', async () => {
  let lookups = 0;
  const lookup = async () => {
    lookups += 1;
    return [{ address: '127.0.0.1' }, { address: '10.0.0.1' }];
  };
  await expect(client({ lookup }).request({ url: at(ports.first) })).rejects.toMatchObject({
    kind: 'not_allowed',
    sent: false,
  });
  const rebinding = async () => [{ address: ++lookups === 2 ? '127.0.0.1' : '127.0.0.2' }];
  expect((await client({ lookup: rebinding }).request({ url: at(ports.first) })).status).toBe(200);
  expect(lookups).toBe(2);
  expect(seen).toHaveLength(1);
});

describe('proxies of the environment are ignored', () => {
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
  const before = names.map((name) => process.env[name]);
  afterEach(() => {
    names.forEach((name, index) => {
      const value = before[index];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    });
  });
  test('H-239 the request is sent directly to the target', async () => {
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : at(ports.second);
    await client().request({ url: at(ports.first, '/straight') });
    expect(seen).toMatchObject([{ url: '/straight', headers: { host: `target.example:${ports.first}` } }]);
  });
});

describe('redirects', () => {
  const to = (location: string, status = 302): void => {
    answer = (request, response) => {
      if (request.url === '/start') response.writeHead(status, { location });
      response.end('done');
    };
  };
  const secrets = { authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'k' };

  test('within the origin, headers and body are sent again', async () => {
    to('/next', 307);
    await client().request({ url: at(ports.first, '/start'), method: 'POST', headers: secrets, body: 'b' });
    expect(seen[1]).toMatchObject({ method: 'POST', url: '/next', body: 'b', headers: secrets });
  });
  test('neither credentials nor bodies are sent to another origin', async () => {
    to(at(ports.second, '/next'));
    await client().request({ url: at(ports.first, '/start'), headers: secrets });
    expect(seen[1]).toMatchObject({ url: '/next' });
    for (const name of Object.keys(secrets)) expect(seen[1]?.headers).not.toHaveProperty(name);
    to(at(ports.second, '/next'), 308);
    const post = { url: at(ports.first, '/start'), method: 'POST', body: 'secret' };
    await expect(client().request(post)).rejects.toMatchObject({ kind: 'protocol', sent: true });
    expect(seen).toHaveLength(3);
  });
  test('the address of each redirect is checked like the first address', async () => {
    to('http://169.254.169.254/latest');
    await expect(client().request({ url: at(ports.first, '/start') })).rejects.toMatchObject({
      kind: 'configuration',
    });
    const open = client({ allowAddresses: true });
    await expect(open.request({ url: at(ports.first, '/start') })).rejects.toMatchObject({
      kind: 'not_allowed',
    });
    to('file:///etc/passwd');
    await expect(client().request({ url: at(ports.first, '/start') })).rejects.toMatchObject({
      kind: 'configuration',
    });
  });
  test('three redirects are followed, a fourth is an error, and `manual` returns the first as the answer', async () => {
    let left = 3;
    answer = (_request, response) => {
      if (left > 0) response.writeHead(302, { location: `/${left}` });
      left -= 1;
      response.end();
    };
    expect((await client().request({ url: at(ports.first) })).status).toBe(200);
    left = 4;
    await expect(client().request({ url: at(ports.first) })).rejects.toMatchObject({ kind: 'protocol' });
    left = 1;
    const manual = await client().request({ url: at(ports.first), redirect: 'manual' });
    expect(manual).toMatchObject({ status: 302, headers: { location: '/1' } });
  });
});

describe('an answer that is too long, late, broken or missing', () => {
  test('an answer longer than the limit', async () => {
    answer = (_request, response) => response.end('x'.repeat(5_000));
    await expect(client({ maxBodyBytes: 4_999 }).request({ url: at(ports.first) })).rejects.toMatchObject({
      kind: 'protocol',
      sent: true,
    });
    expect((await client({ maxBodyBytes: 5_000 }).request({ url: at(ports.first) })).body).toHaveLength(
      5_000,
    );
  });
  test('an answer of single bytes without end', async () => {
    let dripping: NodeJS.Timeout | undefined;
    answer = (_request, response) => {
      dripping = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(dripping));
    };
    // Long enough for a busy machine to have sent the request.
    await expect(client({ totalTimeoutMs: 3_000 }).request({ url: at(ports.first) })).rejects.toMatchObject({
      kind: 'unreachable',
      sent: true,
    });
  });
  test('a reset in the middle', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => request.socket.resetAndDestroy());
    };
    await expect(client().request({ url: at(ports.first) })).rejects.toMatchObject({
      kind: 'unreachable',
      sent: true,
    });
  });
  test('an end before the announced length', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => request.socket.end());
    };
    await expect(client().request({ url: at(ports.first) })).rejects.toMatchObject({ kind: 'unreachable' });
  });
  test('an answer that is not HTTP', async () => {
    await using stray = createRaw((socket) => {
      socket.on('error', () => {}).resume();
      socket.end('220 mail ready\r\n');
    }).listen(0, '127.0.0.1');
    await once(stray, 'listening');
    const { port } = stray.address() as AddressInfo;
    const failure = await client()
      .request({ url: at(port) })
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ name: 'OutboundError' });
    expect(String(failure)).not.toContain('mail');
  });
  test.each([
    ['an unasked 100 Continue, then the answer', 'HTTP/1.1 100 Continue\r\n\r\n', undefined],
    ['too many interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20), 'protocol'],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'protocol',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n', 'protocol'],
    ['bytes after the content', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nx', 'protocol'],
    [
      'a chunk extension of 300 kB',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${'x'.repeat(300_000)}`,
      'protocol',
    ],
  ])('%s', async (_, bytes, kind) => {
    await using stray = createRaw((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(`${bytes}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`));
    }).listen(0, '127.0.0.1');
    await once(stray, 'listening');
    const answer = client().request({ url: at((stray.address() as AddressInfo).port) });
    if (kind === undefined) expect(String((await answer).body)).toBe('ok');
    else await expect(answer).rejects.toMatchObject({ kind, sent: true });
  });
  test('no listener', async () => {
    const gone = createRaw().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    await expect(client().request({ url: at(port) })).rejects.toMatchObject({
      kind: 'unreachable',
      sent: false,
    });
  });
});

describe('over TLS', () => {
  const url = () => `https://localhost:${ports.secure}/`;
  test('the right CA and name, or the pinned certificate, is accepted', async () => {
    for (const trust of [
      { mode: 'ca', ca: tls.certificate },
      { mode: 'pinned', certificate: tls.certificate },
    ] as const)
      expect((await client({ trust }).request({ url: url() })).status).toBe(200);
  });
  test('an unknown authority, another certificate or another name gets no request', async () => {
    const wrongName = `https://target.example:${ports.secure}/`;
    for (const [trust, to] of [
      [{ mode: 'system' }, url()],
      [{ mode: 'ca', ca: other.certificate }, url()],
      [{ mode: 'pinned', certificate: other.certificate }, url()],
      [{ mode: 'ca', ca: tls.certificate }, wrongName],
    ] as const)
      await expect(client({ trust }).request({ url: to })).rejects.toMatchObject({
        kind: 'untrusted',
        sent: false,
      });
    expect(seen).toEqual([]);
  });
  test('a server without TLS is an error, and no request is sent', async () => {
    await expect(client().request({ url: `https://localhost:${ports.first}/` })).rejects.toMatchObject({
      name: 'OutboundError',
      sent: false,
    });
  });
});

test('plain http is allowed to a near address, and refused if only https is allowed', async () => {
  const policy = targetPolicy({ cidrs: ['0.0.0.0/0'], ports: [ports.first] }, openLoopback);
  // 127.0.0.1 is a near address.
  expect((await client({ policy }).request({ url: at(ports.first) })).status).toBe(200);
  const only = client({ schemes: ['https'] });
  await expect(only.request({ url: at(ports.first) })).rejects.toMatchObject({ kind: 'configuration' });
});

test('headers that contain a line end, or that the client sets itself, are refused', async () => {
  const refused: Record<string, string>[] = [
    { 'x-a': 'b\r\nx-c: d' },
    { 'x\r\na': 'b' },
    { host: 'other' },
    { 'Content-Length': '1' },
    { 'transfer-encoding': 'chunked' },
    { 'proxy-authorization': 'x' },
    { a: '1', A: '2' },
  ];
  for (const headers of refused)
    await expect(client().request({ url: at(ports.first), headers })).rejects.toMatchObject({
      kind: 'configuration',
      sent: false,
    });
});

test('an error in beforeSend ends the call, and nothing is sent', async () => {
  const late = new Error('too late');
  const beforeSend = () => {
    throw late;
  };
  await expect(client().request({ url: at(ports.first), beforeSend })).rejects.toBe(late);
  expect(seen).toEqual([]);
});

test('outboundFetch sends through the guarded client', async () => {
  answer = (_request, response) => {
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end('{"a":1}');
  };
  const guarded = outboundFetch(client());
  const response = await guarded(at(ports.first), { method: 'POST', body: new URLSearchParams({ x: 'y' }) });
  expect([response.status, await response.json()]).toEqual([201, { a: 1 }]);
  expect(seen[0]).toMatchObject({ method: 'POST', body: 'x=y' });
  await expect(guarded('http://169.254.169.254/')).rejects.toMatchObject({
    name: 'TypeError',
    cause: { kind: 'configuration' },
  });
});
