export function lockdown(): void {}
