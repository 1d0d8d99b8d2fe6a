// Every hostile message against Perantara, with what the client got and what the origins saw. The inputs: cases/*.ts.
import { testTheme } from './theme-tests.ts';
import { THEMES } from './themes.ts';

for (const theme of THEMES) if (theme.setting !== 'impatient') testTheme(theme);
