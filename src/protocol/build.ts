/** Which build this is: a record of another build is refused, since its images may behave otherwise. Same as package.json's version. */
export const BUILD = '0.1.0'
