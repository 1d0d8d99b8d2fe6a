// The chart of docs/benchmarks.md: one panel for each case, one bar for each proxy. No background and mid-tone text, so
// that it reads on light and dark pages.
import { CASE_NAMES, CASES, type CaseName } from './cases.ts';
import { type Figure, figureOf, type Results } from './results.ts';
import { duration, kibibytes } from './wording.ts';

const COLUMNS = 2;
const PANEL_WIDTH = 440;
const NAME_WIDTH = 78;
const VALUE_WIDTH = 76;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 30;
const PANEL_GAP = 18;
const TEXT = '#768390';
const OWN = '#2f9e6e';
const PEER = '#8fa1b3';

interface Bar {
  readonly name: string;
  readonly value: number;
}

export function drawChart(results: Results): string {
  const panels = CASE_NAMES.map((name) => ({ name, bars: barsOf(results, name) })).filter(
    ({ bars }) => bars.length > 0,
  );
  const rows = Math.max(0, ...panels.map(({ bars }) => bars.length));
  const panelHeight = TITLE_HEIGHT + rows * ROW_HEIGHT + PANEL_GAP;
  const width = COLUMNS * PANEL_WIDTH;
  const height = Math.ceil(panels.length / COLUMNS) * panelHeight;
  const drawn = panels.map(({ name, bars }, i) =>
    panel(CASES[name].title, figureFor(name), bars, (i % COLUMNS) * PANEL_WIDTH, Math.floor(i / COLUMNS) * panelHeight),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">
<title>Cost of each proxy in each case; shorter is better</title>
${drawn.join('\n')}
</svg>
`;
}

function barsOf(results: Results, name: CaseName): readonly Bar[] {
  return results.contestants.flatMap((contestant) => {
    const spread = figureOf(results, name, contestant.name, figureFor(name));
    return spread === null ? [] : [{ name: contestant.name, value: spread.median }];
  });
}

function figureFor(name: CaseName): Figure {
  return name === 'idle' ? 'bytesPerConnection' : name === 'half' ? 'p99Us' : 'cpuUs';
}

const MEANINGS: Readonly<Partial<Record<Figure, string>>> = {
  cpuUs: 'CPU each',
  p99Us: 'p99',
  bytesPerConnection: 'memory each',
};

function panel(title: string, figure: Figure, bars: readonly Bar[], x: number, y: number): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const room = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH - PANEL_GAP;
  const lines = bars.map(({ name, value }, i) => {
    const top = y + TITLE_HEIGHT + i * ROW_HEIGHT;
    const middle = top + BAR_HEIGHT - 4;
    const length = Math.max(1, (value / most) * room).toFixed(1);
    const isOwn = name === 'perantara';
    const weight = isOwn ? ' font-weight="bold"' : '';
    const text = figure === 'bytesPerConnection' ? kibibytes(value) : duration(value);
    const end = x + NAME_WIDTH + Number(length) + 6;
    return `<text x="${x + NAME_WIDTH - 8}" y="${middle}" text-anchor="end" fill="${TEXT}"${weight}>${name}</text>
<rect x="${x + NAME_WIDTH}" y="${top}" width="${length}" height="${BAR_HEIGHT}" rx="2" fill="${isOwn ? OWN : PEER}"/>
<text x="${end.toFixed(1)}" y="${middle}" fill="${TEXT}"${weight}>${text}</text>`;
  });
  const heading = `<text x="${x + NAME_WIDTH}" y="${y + 20}" fill="${TEXT}" font-size="13" font-weight="bold">${title} – ${MEANINGS[figure]}</text>`;
  return [heading, ...lines].join('\n');
}
