/** Types of address ranges, INT 15h AX=E820h (ACPI 3.0, table 14-1). */
export const E820_RAM = 1
export const E820_RESERVED = 2
export const E820_ACPI = 3
export const E820_NVS = 4
export const E820_UNUSABLE = 5
