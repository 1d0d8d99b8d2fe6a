// Numbers, times and durations as people read them.

const DAY_MS = 86_400_000;

/** `1.2`, `34`, `1,234` @param {number} value */
export function number(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value > 0 && value < 10 ? 1 : 0 });
}

/** `0.4 ms`, `12 ms`, `1.3 s` @param {number} ms */
export function milliseconds(ms) {
  return ms < 1_000 ? `${number(ms)} ms` : `${number(ms / 1_000)} s`;
}

/** The largest unit alone: nobody at three in the morning wants more. `45 s`, `12 min`, `3 h`, `5 days` @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? '1 day' : `${days} days`;
}

/** `03:12:45`, with the date when it was on another day. @param {number} at @param {number} now */
export function moment(at, now) {
  const [date, today] = [new Date(at), new Date(now)];
  const time = date.toLocaleTimeString('en-GB');
  return date.toDateString() === today.toDateString() ? time : `${date.toLocaleDateString('sv')} ${time}`;
}

/** Days until then, as certificates are thought of. @param {number} at @param {number} now */
export function daysLeft(at, now) {
  if (at <= now) return 'expired';
  const days = Math.floor((at - now) / DAY_MS);
  if (days >= 2) return `${days} days left`;
  return `${duration(at - now)} left`;
}

/**
 * Per second, over the last whole steps. @param {readonly number[] | null} steps @param {number} stepMs
 */
export function rateNow(steps, stepMs) {
  if (steps === null) return 0;
  const last = steps.slice(-3, -1);
  return (last.reduce((sum, each) => sum + each, 0) / last.length / stepMs) * 1_000;
}
