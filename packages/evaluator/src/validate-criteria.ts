import type { Checked } from './checked.ts';
import { MAX_GLOB_LENGTH, MAX_GLOB_WILDCARDS } from './glob.ts';
import { hasHiddenCharacter } from './hidden-characters.ts';
import { canonicalGlob } from './path-glob.ts';
import { given } from './rule.ts';
import { isTimeZone, minutesOf } from './time-window.ts';
import { canonicalWindowsPath, isShortName } from './windows-path.ts';

const EXECUTABLE = ['matchSigner', 'matchHash', 'matchPathGlob', 'matchParentImage'] as const;
const TOOL = ['matchToolName', 'matchRiskTier'] as const;
const PERSON = ['matchUser', 'matchAdGroup'] as const;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Checks every criterion, then the combination. */
export function checkCriteria(rule: Record<string, unknown>, checked: Checked): void {
  if (given(rule.siteId)) checkUuid(rule.siteId, '/siteId', checked);
  for (const field of ['matchSigner', 'matchUser', 'matchAdGroup', 'matchToolName'] as const) {
    if (given(rule[field])) checkText(rule[field], `/${field}`, 255, checked);
  }
  if (given(rule.matchHash) && !(typeof rule.matchHash === 'string' && isSha256(rule.matchHash)))
    checked.problem('/matchHash', 'must be a SHA-256 digest: 64 hexadecimal digits');
  if (given(rule.matchPathGlob)) checkPathGlob(rule.matchPathGlob, checked);
  if (given(rule.matchParentImage)) checkParentImage(rule.matchParentImage, checked);
  if (given(rule.matchRiskTier) && !checked.isInteger(rule.matchRiskTier, 0, 4))
    checked.problem('/matchRiskTier', 'must be a whole number from 0 to 4');
  if (given(rule.matchResourceId) && rule.matchResourceId !== '*')
    checkUuid(rule.matchResourceId, '/matchResourceId', checked, ', or * for any resource');
  if (given(rule.timeWindow)) checkTimeWindow(rule.timeWindow, checked);
  checkShape(rule, checked);
}

function checkShape(rule: Record<string, unknown>, checked: Checked): void {
  const named = (fields: readonly string[]): string[] => fields.filter((field) => given(rule[field]));
  const [executable, tool, person] = [named(EXECUTABLE), named(TOOL), named(PERSON)];
  const access = named(['matchResourceId']);
  if (executable.length + tool.length + person.length + access.length === 0) {
    checked.problem(
      '',
      'must carry at least one of matchSigner, matchHash, matchPathGlob, matchParentImage, matchUser, matchAdGroup, matchToolName and matchRiskTier: a time window or a site alone does not identify anything',
    );
  }
  const shapes = [executable, tool, access].filter((fields) => fields.length > 0);
  for (const fields of shapes.slice(1)) {
    for (const field of fields) {
      checked.problem(
        `/${field}`,
        `cannot stand together with ${shapes[0]!.join(', ')}: no single request carries both`,
      );
    }
  }
}

export function isSha256(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(text);
}

export function checkUuid(value: unknown, pointer: string, checked: Checked, or = ''): void {
  if (typeof value !== 'string' || !UUID.test(value)) checked.problem(pointer, `must be a UUID${or}`);
}

export function checkText(value: unknown, pointer: string, max: number, checked: Checked): void {
  if (typeof value !== 'string') return checked.problem(pointer, 'must be a text');
  if (value.trim() === '') return checked.problem(pointer, 'may not be blank; leave it out instead');
  if ([...value].length > max) return checked.problem(pointer, `must have at most ${max} characters`);
  if (hasHiddenCharacter(value))
    checked.problem(pointer, 'may not hold control, invisible or direction-changing characters');
}

function checkPathGlob(value: unknown, checked: Checked): void {
  const pointer = '/matchPathGlob';
  if (typeof value !== 'string') return checked.problem(pointer, 'must be a text');
  if (value.length > MAX_GLOB_LENGTH)
    return checked.problem(pointer, `must have at most ${MAX_GLOB_LENGTH} characters`);
  const wildcards = value.replace(/[^*?]/g, '').length;
  if (wildcards > MAX_GLOB_WILDCARDS)
    return checked.problem(pointer, `must have at most ${MAX_GLOB_WILDCARDS} wildcards`);
  checkText(value, pointer, MAX_GLOB_LENGTH, checked);
  const segments = canonicalGlob(value).split('\\');
  const literal = segments.filter((segment) => !/[*?]/.test(segment));
  if (/^\\\\[?.]\\|^\\\?\?\\/.test(value))
    checked.problem(pointer, 'leave \\\\?\\ and \\\\.\\ off: paths are compared without it');
  else if (literal.some((segment) => segment === '.' || segment === '..'))
    checked.problem(pointer, 'may not hold . or .. : paths are compared without them and would never match');
  else if (/[<>"|]/.test(value) || canonicalGlob(value).replace(/^.:/, '').includes(':'))
    checked.problem(pointer, 'holds a character that no canonical path holds, so it would never match');
  else if (segments.some((segment) => /[. ]$/.test(segment)) || value.endsWith('\\') || value.endsWith('/'))
    checked.problem(
      pointer,
      'has a part that ends in a dot, a blank or nothing; it would never match a file',
    );
  else if (literal.some(isShortName))
    checked.problem(pointer, 'holds a short (8.3) name; write the long one');
}

function checkParentImage(value: unknown, checked: Checked): void {
  const pointer = '/matchParentImage';
  checkText(value, pointer, 1_024, checked);
  if (typeof value !== 'string' || value === '') return;
  const whole = /[\\/:]/.test(value) ? value : `C:\\${value}`;
  const { unresolved } = canonicalWindowsPath(whole);
  if (unresolved !== undefined)
    checked.problem(pointer, `must be the path of a program or its file name: ${unresolved}`);
}

const WINDOW_FIELDS = ['start', 'end', 'days', 'timezone'];

function checkTimeWindow(value: unknown, checked: Checked): void {
  const at = '/timeWindow';
  if (typeof value !== 'object' || Array.isArray(value) || value === null)
    return checked.problem(at, 'must be an object with start and end');
  const window = value as Record<string, unknown>;
  for (const field of Object.keys(window)) {
    if (!WINDOW_FIELDS.includes(field)) checked.problem(checked.pointer(at, field), 'is not known');
  }
  for (const field of ['start', 'end'] as const) {
    const time = window[field];
    if (typeof time !== 'string' || Number.isNaN(minutesOf(time)))
      checked.problem(`${at}/${field}`, 'must be a time HH:MM from 00:00 to 23:59');
  }
  if (typeof window.start === 'string' && window.start === window.end)
    checked.problem(`${at}/end`, 'must differ from the start; leave the window out for the whole day');
  if (given(window.days)) checkDays(window.days, `${at}/days`, checked);
  if (given(window.timezone) && !(typeof window.timezone === 'string' && isTimeZone(window.timezone)))
    checked.problem(`${at}/timezone`, 'must be the IANA name of a time zone, such as Europe/Berlin');
}

function checkDays(days: unknown, pointer: string, checked: Checked): void {
  if (!Array.isArray(days)) return checked.problem(pointer, 'must be a list of days, 0 Sunday to 6 Saturday');
  if (days.length === 0) checked.problem(pointer, 'may not be empty; leave it out for every day');
  days.forEach((day, index) => {
    if (!checked.isInteger(day, 0, 6))
      checked.problem(`${pointer}/${index}`, 'must be a day from 0 (Sunday) to 6 (Saturday)');
    else if (days.indexOf(day) !== index) checked.problem(`${pointer}/${index}`, 'stands twice');
  });
}
