import { Duplex } from 'node:stream';
import { HOSTILE_ACCOUNT, type HostileType, hostileSettings, startNoise } from '@claviger/targets';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from './connector-error.ts';
import { comparableDn } from './ldap/distinguished-name.ts';
import { messageLength as ldapLength } from './ldap/message-length.ts';
import { asLdapResult } from './ldap/result-codes.ts';
import { listed } from './listed.ts';
import { packetLength } from './mysql/packet-length.ts';
import { type MessageLength, wholeMessages } from './network/guard-stream.ts';
import { readFrames, writeFrame } from './pool/frames.ts';
import { fromWorkerSchema, results } from './pool/messages.ts';
import { messageLength as postgresLength } from './postgres/message-length.ts';
import { connectorFor } from './registry.ts';
import { serverText } from './server-text.ts';
import { parseStates } from './ssh/discover.ts';
import { promptAtEnd, refusalIn } from './ssh/passwd-messages.ts';
import { loopbackContext } from './testing-context.ts';

const lengths: readonly (readonly [string, MessageLength])[] = [
  ['ldap', ldapLength],
  ['mysql', packetLength],
  ['postgres', postgresLength],
];

/** Splits the bytes at arbitrary positions. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe.each(lengths)('messages of %s', (_name, length) => {
  const passed = (chunks: readonly Buffer[]): Buffer | ConnectorError => {
    const take = wholeMessages(length);
    try {
      return Buffer.concat(chunks.flatMap((chunk) => take(chunk) ?? []));
    } catch (error) {
      if (error instanceof ConnectorError) return error;
      throw error;
    }
  };

  test('are passed on whole and unchanged, wherever the network splits them', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 20 }), (all, cuts) => {
        const atOnce = passed([all]);
        const cut = passed(pieces(all, cuts));
        if (atOnce instanceof ConnectorError) return void expect(cut).toBeInstanceOf(ConnectorError);
        expect(cut).toEqual(atOnce);
        expect(all.subarray(0, atOnce.length)).toEqual(atOnce);
      }),
    );
  });
});

const text = fc.oneof(
  fc.string({ maxLength: 400 }),
  fc
    .array(fc.constantFrom(' ', '\t', ':', '\n', '\r', 'password', 'new ', ',', '\\', '=', 'é', '\0'), {
      maxLength: 200,
    })
    .map((parts) => parts.join('')),
);

test('text of a target becomes one short line without secrets', () => {
  fc.assert(
    fc.property(text, fc.string({ minLength: 4, maxLength: 40 }), text, (before, secret, after) => {
      const shown = serverText(`${before}${secret}${after}`.repeat(30), [secret]);
      expect(shown.length).toBeLessThanOrEqual(300);
      expect(shown).not.toMatch(/\p{Cc}/u);
      if (!'[removed]'.includes(secret) && /^[A-Za-z0-9]+$/.test(secret))
        expect(shown.includes(secret)).toBe(false);
    }),
  );
});

test('parsers of text accept any input', () => {
  fc.assert(
    fc.property(text, (given) => {
      parseStates(given);
      refusalIn(given);
      expect([undefined, 'current', 'new', 'retype']).toContain(promptAtEnd(given));
      expect(comparableDn(comparableDn(given).replaceAll('\\', ''))).toBeTypeOf('string');
      expect(listed([given, given], ',').length).toBeLessThanOrEqual(2_001);
      asLdapResult(Object.assign(new Error(given), { code: 49 }));
    }),
  );
});

test.each([
  ['blanks', ' '],
  ['colons', ':'],
  ['commas and blanks', ' , '],
  ['backslashes', '\\'],
  ['lines', 'password:\n'],
])('200 kB of %s are parsed in linear time', (_name, piece) => {
  const given = piece.repeat(200_000 / piece.length);
  const before = process.cpuUsage();
  serverText(given, ['secret']);
  parseStates(given);
  promptAtEnd(given);
  comparableDn(given);
  asLdapResult(Object.assign(new Error(given), { code: 49 }));
  const { user, system } = process.cpuUsage(before);
  // A quadratic algorithm would take many seconds.
  expect((user + system) / 1_000).toBeLessThan(2_000);
});

/** The reading end of a pipe. */
function pipe() {
  const channel = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const received: unknown[] = [];
  let bad = 0;
  readFrames(
    channel,
    1_000,
    (message) => received.push(message),
    () => {
      bad += 1;
    },
  );
  return { channel, received, isBad: () => bad };
}

test('messages of a worker arrive unchanged, wherever the pipe splits them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (messages, cuts) => {
        const chunks: Buffer[] = [];
        const sink = new Duplex({
          read() {},
          write: (chunk: Buffer, _encoding, done) => {
            chunks.push(chunk);
            done();
          },
        });
        for (const message of messages) writeFrame(sink, message);
        const all = Buffer.concat(chunks);
        fc.pre(all.length < 1_000);
        const reader = pipe();
        for (const piece of pieces(all, cuts)) reader.channel.emit('data', piece);
        expect(reader.received).toEqual(messages.map((message) => JSON.parse(JSON.stringify(message))));
        expect(reader.isBad()).toBe(0);
      },
    ),
  );
});

test('other data of a worker is refused once, and nothing is read after it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { maxLength: 20 }), (chunks) => {
      const reader = pipe();
      for (const chunk of chunks) reader.channel.emit('data', Buffer.from(chunk));
      expect(reader.isBad()).toBeLessThanOrEqual(1);
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (message) => {
      fromWorkerSchema.safeParse(message);
      for (const schema of Object.values(results)) schema.safeParse(message);
    }),
  );
});

const greetings: readonly (readonly [HostileType, string])[] = [
  ['http', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n'],
  ['ldap', '\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00'],
  ['mysql', '\x4a\x00\x00\x00\x0a8.0.0\x00\x01\x00\x00\x00aaaaaaaa\x00\x00\x82'],
  ['postgres', 'R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00'],
  ['ssh', 'SSH-2.0-noise\r\n'],
];

test.each(greetings)(
  'a %s target that answers with arbitrary bytes gives a result of the declared form',
  async (type, greeting) => {
    const valid = fc
      .nat({ max: greeting.length })
      .map((end) => Buffer.from(greeting.slice(0, end), 'latin1'));
    const noise = fc.uint8Array({ maxLength: 300 });
    const sent = fc.oneof(
      fc.array(noise, { maxLength: 5 }),
      fc.array(fc.oneof(valid, noise), { maxLength: 5 }),
      fc.array(noise, { maxLength: 5 }).map((rest) => [Buffer.from(greeting, 'latin1'), ...rest]),
    );
    const ctx = loopbackContext({ operationTimeoutMs: 5_000 });
    await fc.assert(
      fc.asyncProperty(sent, async (chunks) => {
        await using target = await startNoise(chunks);
        const settings = hostileSettings(type, target.port);
        const { username, password } = HOSTILE_ACCOUNT;
        const verified = await connectorFor(type).verify(settings, { username }, password, ctx);
        results.verify.parse(verified);
      }),
      { numRuns: 60 },
    );
  },
);
