import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalWindowsPath, foldCase } from './windows-path.ts';

const TARGET = 'C:\\WINDOWS\\SYSTEM32\\CMD.EXE';

test.each([
  'C:\\Windows\\System32\\cmd.exe',
  'c:/windows/system32/CMD.EXE',
  'C:\\Windows\\Temp\\..\\System32\\cmd.exe',
  'C:\\..\\..\\Windows\\System32\\cmd.exe',
  'C:\\Windows\\.\\System32\\\\cmd.exe',
  'C:\\Windows\\System32\\cmd.exe.',
  'C:\\Windows\\System32\\cmd.exe . . ',
  'C:\\Windows.\\System32\\cmd.exe',
  'C:\\Windows\\System32\\cmd.exe::$DATA',
  'C:\\Windows\\System32\\cmd.exe::$data',
  '\\\\?\\C:\\Windows\\System32\\cmd.exe',
  '\\??\\C:\\Windows\\System32\\cmd.exe',
  '\\\\?\\C:\\Windows\\System32\\cmd.exe::$DATA',
])('one file has one spelling: %s', (raw) => {
  expect(canonicalWindowsPath(raw)).toEqual({ path: TARGET });
});

test.each([
  ['', 'empty'],
  ['C:\\Windows\\cmd.exe\0.txt', 'control'],
  ['C:\\Windows\\cmd\u202eexe.txt', 'direction'],
  ['C:\\Windows\\cmd\u200b.exe', 'invisible'],
  ['C:\\Windows\\cmd\ud800.exe', 'invisible'],
  ['C:\\Windows\\cmd\u{e0041}.exe', 'invisible'],
  ['C:\\PROGRA~1\\tool.exe', 'short'],
  ['C:\\tools\\SETUP~12.EXE', 'short'],
  ['C:\\tools\\x.exe:evil', 'stream'],
  ['C:\\tools\\x.exe:evil:$DATA', 'stream'],
  ['C:\\tools::$DATA\\x.exe', 'stream'],
  ['C:\\tools::$INDEX_ALLOCATION\\x.exe', 'stream'],
  ['\\\\?\\C:\\tools\\..\\x.exe', 'literal'],
  ['\\\\?\\C:\\tools\\x.exe.', 'literal'],
  ['\\\\?\\C:\\tools \\x.exe', 'literal'],
  ['\\\\?\\C:/tools/x.exe', 'device'],
  ['\\\\?\\C:\\tools/x.exe', 'character'],
  ['\\\\?\\GLOBALROOT\\Device\\HarddiskVolume1\\x.exe', 'device'],
  ['\\\\?\\Volume{0123}\\x.exe', 'device'],
  ['\\\\.\\C:\\x.exe', 'device'],
  ['//./C:/x.exe', 'device'],
  ['//?/C:/x.exe', 'device'],
  ['\\\\localhost\\c$\\Windows\\cmd.exe', 'administrative'],
  ['\\\\127.0.0.1\\ADMIN$\\cmd.exe', 'administrative'],
  ['\\\\?\\UNC\\localhost\\c$\\cmd.exe', 'administrative'],
  ['\\\\server.\\share\\x.exe', 'dot'],
  ['C:tool.exe', 'relative'],
  ['\\Windows\\cmd.exe', 'relative'],
  ['tool.exe', 'relative'],
  ['C:\\', 'folder'],
  ['C:\\tools\\', 'folder'],
  ['C:\\tools\\..', 'folder'],
  ['C:\\tools \\x.exe', 'folder'],
  ['C:\\tools..\\x.exe', 'folder'],
  ['C:\\...\\x.exe', 'folder'],
  ['C:\\tools\\NUL', 'device'],
  ['C:\\tools\\con.exe', 'device'],
  ['C:\\tools\\x?.exe', 'character'],
  [`C:\\${'a'.repeat(32_766)}`, 'longer'],
])('what could be another file is not resolved: %j', (raw, why) => {
  const { path, unresolved } = canonicalWindowsPath(raw);
  expect(path).toBeUndefined();
  expect(unresolved).toContain(why);
});

test('shares, letters of every script and tildes in long names stay', () => {
  expect(canonicalWindowsPath('\\\\?\\UNC\\srv\\tools\\a.exe')).toEqual({ path: '\\\\SRV\\TOOLS\\A.EXE' });
  expect(canonicalWindowsPath('//srv/tools/../../a.exe')).toEqual({ path: '\\\\SRV\\TOOLS\\A.EXE' });
  expect(canonicalWindowsPath('D:\\Müller\\שלום.exe')).toEqual({ path: 'D:\\MÜLLER\\שלום.EXE' });
  expect(canonicalWindowsPath('D:\\backup~2026-old\\a.exe')).toEqual({ path: 'D:\\BACKUP~2026-OLD\\A.EXE' });
});

test('no letter outside ASCII becomes one of ASCII, and none changes its length', () => {
  expect(foldCase('ıſ\u212aß')).toBe('ıſ\u212aß');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const folded = foldCase(text);
      expect(folded.length).toBe(text.length);
      expect(foldCase(folded)).toBe(folded);
      const ascii = (from: string): number => from.replace(/[^\x20-\x7e]/g, '').length;
      expect(ascii(folded)).toBe(ascii(text));
    }),
  );
});

test('a canonical path is its own canonical path, whatever it came from', () => {
  const segment = fc.string({ unit: fc.constantFrom(...'aB.. ~1:$?*é'), maxLength: 6 });
  const raw = fc
    .tuple(
      fc.constantFrom('C:\\', 'c:/', '\\\\?\\C:\\', '\\\\s\\t\\', ''),
      fc.array(segment, { maxLength: 5 }),
    )
    .map(([root, parts]) => root + parts.join('\\'));
  fc.assert(
    fc.property(raw, (text) => {
      const { path } = canonicalWindowsPath(text);
      if (path === undefined) return;
      expect(canonicalWindowsPath(path)).toEqual({ path });
      expect(path).not.toMatch(/\\\.{1,2}(\\|$)|[. ](\\|$)|\/|\?|\*/);
    }),
    { numRuns: 2_000 },
  );
});
