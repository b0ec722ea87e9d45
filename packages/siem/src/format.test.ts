import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cefEvent } from './cef.ts';
import { jsonEvent } from './json-event.ts';
import { sampleEvent } from './sample-event.ts';
import { framed, syslogMessage } from './syslog-message.ts';

const style = { format: 'json', facility: 13, hostname: 'node 1', maxBytes: 8_192 } as const;
const NASTY = 'a"b]c\\d=e|f\r\ng\u0000\u0007\u001b[31m\u0085\u2028\u202e\ud800é😀';
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

test('a message follows RFC 5424: header, structured data, BOM, text', () => {
  const event = sampleEvent();
  expect(syslogMessage(event, style).toString()).toBe(
    `<110>1 2026-03-01T10:11:12.345Z node_1 claviger vault vault.entry.retrieved ` +
      `[claviger@32473 id="${event.id}" tenant="${event.tenantId}" sequence="41" outcome="allowed"] \ufeff${jsonEvent(event)}`,
  );
});

test.each([
  ['allowed', 110],
  ['denied', 108],
  ['failed', 107],
])('the priority tells the outcome: %s', (outcome, priority) => {
  const text = syslogMessage(sampleEvent({ outcome }), style).toString();
  expect(text.startsWith(`<${priority}>1 `)).toBe(true);
});

test('no value of an event can end a line, a field or a parameter', () => {
  const event = sampleEvent({
    action: NASTY,
    reason: NASTY,
    service: NASTY,
    tenantId: NASTY,
    details: { [NASTY]: NASTY },
  });
  for (const format of ['json', 'cef'] as const) {
    const text = syslogMessage(event, { ...style, format })
      .toString()
      .replace(' \ufeff', ' ');
    expect(text).not.toMatch(CONTROL);
    const [, , , , , , messageId] = text.split(' ');
    expect(messageId).toMatch(/^[\x21-\x7e]{1,32}$/);
    // The structured data ends at its first unescaped bracket.
    expect(/ \[claviger@32473 (?:\w+="(?:[^"\\\]]|\\.)*" ?)*\] /.test(text)).toBe(true);
  }
});

test('JSON contains exactly the values of the event', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (reason, value) => {
      const event = sampleEvent({ reason, details: { value } });
      const text = jsonEvent(event);
      expect(text).not.toMatch(CONTROL);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(event)));
    }),
  );
});

test('CEF escapes the characters that would end a field, by different rules in header and extension', () => {
  const text = cefEvent(
    sampleEvent({ action: 'a|b\\c=d', reason: 'x=1|y\\z\nnext', sourceAddress: '2001:db8::1' }),
  );
  expect(text.startsWith('CEF:0|Claviger|Claviger|1|a\\|b\\\\c=d|a\\|b\\\\c=d|3|rt=1772359872345 ')).toBe(
    true,
  );
  expect(text).toContain(' reason=x\\=1|y\\\\z\\\\u000anext ');
  expect(text).toContain(' c6a2=2001:db8::1 ');
  expect(text).toContain(' cn1Label=sequence cn1=41');
  expect(text).not.toContain('cs3');
});

test('octet counting counts octets, not characters', () => {
  expect(framed(Buffer.from('é😀')).toString()).toBe('6 é😀');
});

const textOf = (message: Buffer): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message).split(' \ufeff')[1]!;

test.each([2_048, 8_192])(
  'a message of more than %i bytes is shortened and stays JSON and CEF',
  (maxBytes) => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 1, max: 300 }),
        (name, value, count) => {
          const details = {
            [name]: value.repeat(count),
            list: Array<string>(count).fill(name),
            deep: { value },
          };
          const event = sampleEvent({ details, reason: 'é😀'.repeat(count) });
          for (const format of ['json', 'cef'] as const) {
            const message = syslogMessage(event, { ...style, format, maxBytes });
            expect(message.length).toBeLessThanOrEqual(maxBytes);
            const text = textOf(message);
            expect(text).not.toMatch(/\ufffd|\\ud[89a-f]/i);
            if (format === 'json')
              expect(JSON.parse(text)).toMatchObject({ id: event.id, leafHash: event.leafHash });
            else
              expect(text).toMatch(
                new RegExp(`^(?:[^|\\\\]|\\\\.)*\\|.* externalId=${event.id} .* cn1=41( |$)`),
              );
          }
        },
      ),
      { numRuns: 15 },
    );
  },
);

test("a shortened message marks the omission, and has the event's id, its length and its digest", () => {
  const details = {
    list: Array.from({ length: 400 }, (_, n) => `entry-${n}`),
    note: 'a=b|"c"\n'.repeat(300),
  };
  const event = sampleEvent({ reason: 'é😀'.repeat(1_000), details });
  for (const format of ['json', 'cef'] as const) {
    const whole = Buffer.from(format === 'json' ? jsonEvent(event) : cefEvent(event));
    const sha256 = createHash('sha256').update(whole).digest('hex');
    const message = syslogMessage(event, { ...style, format, maxBytes: 4_096 });
    expect(message.length).toBeGreaterThan(3_800);
    expect(message.toString()).toContain(
      ` [claviger@32473 id="${event.id}" tenant="${event.tenantId}" sequence="41" outcome="allowed"]` +
        `[cut@32473 bytes="${whole.length}" sha256="${sha256}"] \ufeff`,
    );
    const text = textOf(message);
    expect(text).toMatch(/reason["=:]+(?:é😀)+(?:é|)…/);
    if (format === 'cef') {
      expect(text).toContain(` cn1=41 cn2Label=cutFromBytes cn2=${whole.length}`);
      continue;
    }
    const shown = JSON.parse(text);
    expect(shown).toMatchObject({ id: event.id, action: event.action, cut: { bytes: whole.length, sha256 } });
    expect(shown.details.list).toEqual(details.list.slice(0, shown.details.list.length));
    expect(shown.details.list.length).toBeGreaterThan(100);
  }
});

test('id and leaf hash of an event stay complete with the longest texts under the shortest limit', () => {
  const long = 'x😀"|\\'.repeat(5_000);
  const event = sampleEvent({
    sequence: Number.MAX_SAFE_INTEGER,
    action: long,
    service: long,
    actorId: long,
    actorName: long,
    actorKind: long,
    subjectType: long,
    subjectId: long,
    resourceId: long,
    sourceAddress: long,
    requestId: long,
    reason: long,
    details: { [long]: long },
  });
  for (const format of ['json', 'cef'] as const) {
    const message = syslogMessage(event, {
      format,
      facility: 23,
      hostname: 'h'.repeat(300),
      maxBytes: 2_048,
    });
    expect(message.length).toBeLessThanOrEqual(2_048);
    expect(textOf(message)).toContain(event.leafHash);
    expect(textOf(message)).toContain(event.id);
  }
});

test('an event within the limit is not shortened', () => {
  const event = sampleEvent({ details: { text: 'é'.repeat(3_000) } });
  const whole = syslogMessage(event, { ...style, maxBytes: 65_507 });
  expect(syslogMessage(event, { ...style, maxBytes: whole.length })).toEqual(whole);
  expect(syslogMessage(event, { ...style, maxBytes: whole.length - 1 }).toString()).toContain('cut@32473');
});
