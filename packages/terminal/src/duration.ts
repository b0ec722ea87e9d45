import { CommandError, EXIT } from './exit-codes.ts';

const secondsOf: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** Parses `45s`, `30m`, `1h30m` or `2d` to seconds. Throws a usage error that names the option. */
export function parseSeconds(text: string, option: string): number {
  const match = /^(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?$/.exec(text);
  const seconds =
    match === null
      ? 0
      : [...'dhms'].reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * secondsOf[unit]!, 0);
  if (seconds > 0) return seconds;
  throw new CommandError(`${option} is "${text}": write a duration such as 30m, 2h or 1h30m`, EXIT.usage);
}

/** Minutes as people say them: `45m`, `2h`, `1h30m`, `3d`. */
export function minutesText(minutes: number): string {
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const rest = minutes % 60;
  return [days && `${days}d`, hours && `${hours}h`, rest && `${rest}m`].filter(Boolean).join('') || '0m';
}
