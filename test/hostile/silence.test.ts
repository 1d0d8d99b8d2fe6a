// Silence in every phase, against a Perantara with little patience. The inputs: cases/deadlines.ts.
import { testTheme } from './theme-tests.ts';
import { THEMES } from './themes.ts';

for (const theme of THEMES) if (theme.setting === 'impatient') testTheme(theme);
