import { describe, expect, test } from 'vitest'
import { type Decoder, UnpackError } from './decoder.ts'
import { Lz4Decoder } from './lz4.ts'
import { xxh64 } from './xxh64.ts'
import { XzDecoder } from './xz.ts'
import { ZstdDecoder } from './zstd.ts'

/** Words, calls of a few functions, zeros: what was packed. */
function sample(): Uint8Array {
  let seed = 7
  const next = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 16) % n
  }
  const words = Array.from({ length: 60 }, () => Array.from({ length: 2 + next(7) }, () => 97 + next(26)))
  const bytes: number[] = []
  while (bytes.length < 1500) bytes.push(...words[next(words.length)]!, 32)
  for (let i = 0; i < 40; i++) {
    const target = 0x40 * next(5) - (bytes.length + 5)
    bytes.push(0xe8, target & 255, (target >> 8) & 255, (target >> 16) & 255, target >>> 24, 0x48 + next(4), next(256))
  }
  for (let i = 0; i < 300; i++) bytes.push(0)
  return Uint8Array.from(bytes)
}
const SAMPLE = sample()

/** By the tools themselves: xz 5.4, zstd 1.5, lz4 1.9. */
const PACKED: readonly (readonly [name: string, base64: string])[] = [
  [
    'xz',
    '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4AglAv1dADCdy6/U3rSnio13bJQAth9+edTtTFLyxiaHJqXoyvfWNYRmzrYI2lUyHqtfQJAP1tZBCX' +
      'am1rgKiLMMNnwQtexBK72gO49mAFiosUGG4rVIJdI4galZ4wU/TyOIihUNpYhWNVcwBR6pEGOpBtYEtS8poTKT5VS34oxKXxfBr8RJDLartVyY' +
      'Ue260AFSY8x7j304Nkj8Nsa8uHJZB+w0KWfto03rQB84SZr82qyrmP3lbOfGkbcTZJm1/EP1e05YzA/+YbsVZVwV7SZR0/3tcSu2XMAK0QtIde' +
      'UOiue/Q7dqEEsYbENV1SY2edFUKVXMRwgxoJOkbGAsZr92r4KvAX3zxmVoE+ETpGuj1vvM4Cbi6B6lb2CI62r97f2wF5tj8huK0UmpDdFzdSXj' +
      'A/LpyJy8iXFt02hBF+YcSeE5T92FQoppjYjCV1b3Zu6AdwcEm/IPuj/leOVW03zsXNwVjCrJsr8qPDgdNgqAqjEoAqtlrzIqaDqbEPUetC8fAJ' +
      '4cUM5zylbCVkvXUbghFvT+QwoangtnJBuu0+G25pH+LhLHOt2A93R2sHzq4Q4wE4qZTqfMsoRzGxnnzQztWEvl9+1qc4SFcHkoA3eUph22syJK' +
      'phI7j1OtaBDOkKHZSR87+EHOg5HKKk4/ERxMGN6lDq9mAEWVrbEStzMTt7LCXSAJSsG2MvOXAlkpJ8b7G0WtTNuDiAfE1/hzpVC3V0ME4KXkFD' +
      'Lprcj07v8CapxrqM31QO0Io/VXfo4axNZqb0jYuGcZ8ipa8LU7FIqsbcTDAyvk93W1uRa4vkFSVMEKATpqFXvCa4SvaEoFqsZ54xkmeIoET+mL' +
      'p9TiDB6j6Aj8eGR+yGq/p/qZZeyRpMbNi3rOcnGoUyAPckWKzX8TSudRX1K/wt4kE9VI1mo5pVLMMfXpBYq8zspeMqdm5MGwSU/tJ8zCn2uPtV' +
      'zRE7RzpV2VKsM11g3olkJjyWLIdoK4QX7/6p3T/Xinwjfet6xTsYyWBMUsx61dBRV1odUAAAAAAAByYDsZAAGVBqYQAAAkQ5h1PjANiwIAAAAA' +
      'AVla',
  ],
  [
    'xz x86',
    '/Td6WFoAAAFpIt42AgEEACEBFgANhjUf4AglAuUSADCeurQYNG8KEe08UiLTCAFJp339QmKsMR4IyGKxLAf3CchzM6W82FfthRB8FgXcyBcgTr' +
      'jQNrRUvP34zvmbRdJWc5hEye8lbSqyz5PE82MEWWjDaMGW13olXndNX/rWDSz1dakcrD6PDegjGhP6dls7XNVJndVipIpVIpiAaWwt/PAL+Sj3' +
      'd9aIbc4PHm7WY33FBtrmCO7sujx8GtuWbkj2lHYXfFM0WDV7a7MBbv+Dhtbv/GzMIN5ZC6ArRxPkx7Tkiev7p2CE+ZMVHI7xcmQ2CJNYBERduH' +
      '+WLBNowlcN1IUxH+BOCC60kvNXv96+NwAHrHi7/awYul5dU84x50JcHYiyiuBm68NBzNoeuBxjWWg+H8rjKEJuS4g4+kUbuv2gEHMC8MUm+Xet' +
      'VWRzmlxScaAbnroYSNwvKbCxORZk1zMLS+2RgXNUV3zQ3Ay1U3HlYfi+C332ECkzHsteN9S0MkZQIwOV4OEjdEU0Mf8XjUvqi+BGg2OSFjw5Wk' +
      'Gymep1EUaNMulZLSxfyQ9Tw5jxbkyhjK4qpNmSY7Jaby51T9D+iXwSk8cJhXu0Cj9z2iRCizJulovRotA3CfnELBERf2v+dFjIvOtfwAJkAXYt' +
      'AxmkKMe90ubz8edqAyl/xuN806LLuN9gHT7I+OxlV7qmZfEyldyhzUWdED7G170yIzZPCFlYAnMM0AwjUWWRIqWjYb+9259LGwvuuCpQ/4PNJY' +
      '8MfYUmzOQa/045qe7X0q2nEgbtgACxmaGOgVR7tWyeriWTVrQd99riYEe8V6DUuhheov03GEGSwnIiG6AU5OKzkK/snzI8NLKBbHQqJOTmRQnY' +
      'rikirFqKhXd+ij0pYbnqkT3SqY1/4GKPPuolILnxpyBHfCg+f1FAPIGYuQW64pck5ouBnGdjcQDq4M4weBi/xYzeWHuisynJajYthx78p/Uj1i' +
      'bSFl8hIXxbZMQHPBbbB644x/AlWnRoUzTJtUEYAAAAAAByYDsZAAH9BaYQAADDtJ/WPjANiwIAAAAAAVla',
  ],
  [
    'xz blocks',
    '/Td6WFoAAAD/EtlBAgAhAQwAAACPmEGc4APnAc5dADCdy6/U3rSnio13bJQAth9+edTtTDr6EJLQX/mP1kWAQS09wnubZG7CnhGHlVLEQ1WDXP' +
      'tJUVzTlhsqvbJ+I+NHG+yKb5HVOnGDNS5/oV5bGMUj2OuZye5/ykKxy03khdNeo/STceIk5Mec5S4RmuCaPGaywpMQdHVCCBZ9TEWIHxNcopQf' +
      '/DES5fIilBieQXBGNxRtvdhzfqc6vezDq9wOvGSkxtTqnFLY8RDxpR1qUIXa7DgP8ksTX7i8RYzHsJHHuRb6ANIMhg/2SLwcj0m7SV1rowu7o5' +
      '0fh8MkBT7RSfscsND01obtQrO7Kw/b0TWMqY54G36ryJYlwrkkW2mY80U+ITBQT8/h8md2wH0tYTYNj39bgaMwMzVG/AaF6t6YXPjohNd3TmqH' +
      'FR2YPafQgmfhoZX4b9RgSPC+Q6IwgKmEm7Xf+66QdMa4JYEg/cPUloGdXLXKBr2zMWx1hY/Go60dZ4wpBOCRYrn5kb8pO8bZExGg+6h0sKQLc2' +
      's/mRAw7YLgEVFjfK+wmfvJEz/9jmhdgNH3OzDp3dzFrCtubzVCccOcViRfDDMYpI6cuWqV85uekx5ol4+rC98QONwmIbDsx2wcpRfRAu/TXgAA' +
      'AAIAIQEMAAAAj5hBnOAD5wHyXQAxmQohpSgsr3GQtmphRTla+8RTbvQ/Wc/86iLDFsrikOxXIgtId6HUTU3ZJ2tHHxjUlHlzBLb1bNVG4SEZaN' +
      'c9ZjrlZXwpsQrgdEhUNHAEnw+ShMIyh2JJVGrloOsbDx38i3+Uq0B/zkoNx5m8GaWn/qN2HxyF/r7vy4heMLjfMaontn2ZjeqP114RHYIRtxqZ' +
      'mEDGNg/B+646I/0WGqHdGOehbdsWtwT5NaMdvgLE2TW5dvz1C4o4/ANH/O8JL0oqHelC9epwVQD/XAH5JqGrKf4bOh4Sfpi+WXXhvbNU/yCHf0' +
      'NgNKNULnlfBUNJZ+ZJ7oTJjoa2G7Oq+eoi57zI2DqSMjlmA1spegSTNSsxKjetCgWOXJygxEWJX800KbI359vmQ+N65vu4yRNVLG1Zz9j7z8Gd' +
      'KGf6d/NBO2vtxlCBY7Mdyp8/x2OLhsY037dYdi+/YW1mESlnvOAdt4BvDtYuojYkPssmKTjFeeY8J/xG+RAxj/UVt6ApkX/HnySPnTgcCX7ReY' +
      'FZ+Ih3ttqytzQFP8eWDDsGMFa1ZvXGaJvW24QXgTWgquinZmgx9zQ6BYXtgpi+hDivucsEazI2jMi5cSip4deRWvz/0vvXF4GreWPYMgZOkggY' +
      'U6ZDAnfgLOImSW2YkkwdWLNQ0bubAAAAAAACACEBDAAAAI+YQZzgAFUABl0AAG6ERegAAAAAAAPiA+gHhgToBxpW8GH3ZA3TVjcDAAAAAABZWg' +
      '==',
  ],
  [
    'zstd',
    'KLUv/QRorRgA1l1jNDBT22D2g40pT8fwVUYaQROYBR/KjQzzvo9QK7W73UREIrvdIp2d4fr/oZ2JqnAVNEYHJrBPAFEAUgB+aeUsbbp9W3a1DI' +
      'zpJvmcMu7reYavCVMOKWvDtoVur7ZdS5JV44SrDD1rXc6YQwyjlLT5lCcMXkmntI5Vkj5uZvjeHi25sz840Uyv5lu/OlZTVjN7UOtLYmkpbbfX' +
      'URK39csWBqftySxpSVdam3Cu95KYa7eTrrROa56c152RdVxXdfpF1xlahbTb2nQldshd9lH53HpVu6wbHXv44qoFEq9B8z4SRUVEFr/1o9dye1' +
      '6o96Zdpbj6oM5SlHi7eIo2e27flCzqqvdFC7FNLRtnheN8kZpUVzm9u3sr+C6GmG9ZStCtyd4s18wzaj67N8o7KgA8Ax9Q8DI2P8r5FIR3UXkC' +
      '+xVE9w0MfxDyMxU/R54D41Gm/6GjlldY+ISODxJ4GIq/EXkJnDc5+Y+elxmx/M5o6A1e3iPmSyYejmoe6OIddP4k4p9k5YUg8utsgLzFQ4DPqE' +
      'EOskiTlFUpNAYwhBCE6s4DUigdoWjlpfb//wwolOLLWaEON7nhUG7nUpx1inEJ5RZbHj+BFQPKMaY4Qe/Pa2bFHCIyR6GfoHFYgBHjH8YAcEJU' +
      'QgWcn7sjiorFb7ks/HIrnKzEpO8+SKNfTUmbE3RW7yRLVMhnUo3k7Ny37MMEhVnKBAqozehsEjSrAwK3z26daEC12azyKwjz1ZRUvU+/OYJxJI' +
      'ZIPONC9YPCqufOXHHlE/d1j4HyK2PDSse8C7/40hsaM0nkKam7lOjPgABULIncBtGjkeQMcW/Ud4kpUUsmDbBJ3OxQGJGj2yXhlNoQ8hoK08GS' +
      '/Ct0AHevMfWS+hFwGjOz6p4Ez6DRDBcrGe3xlEgiymSCWvuEoEXyilK570Gtgf7rD6RzUtTmyvrCfY+9KvSMYRkoGH2AFpAtSBPB56nmIcZPuM' +
      'oUPJ3YQ7CXZjFIFSyT8A16hBfxxHdmsIEV0TzIL2HXryEvkA+xFJpX/CT2vsrPlA6pp/81EaUGysw8iA==',
  ],
  [
    'zstd fast',
    'KLUv/QBInRwAlripNzAzaBuI0+hHD2fLenUaKuQY7iYd9NeMS8xLtjeZ7HYTEQmt9Mp2HxqpURq0hpsJnBCROhkKxQKVAJQAmABNtV4s7Nsuc6' +
      'W+rTmLpWZ9ItRSxa1G2s2kZNUzRyJcYQbfnJu9vhFpugZnaanRtqseyprI2mFTepz6GmK22il1bWblSLIpm6IqRaxtptZSxpcf1pF9+rbm9GJh' +
      'O+hMUKauaZVy39ac+RbLUK4pCVMU1A6CGtimXqgFcjU2nXPLSBtiYsMqGemc+zkxU83c0lBNlTpfFsujEaNMRiojbSlV3Kp9OmoOfGbNPVGxze' +
      'pmdyP79MyRCLPHHob3UQflxqFP3og0XWSfG5GmqzCD723NacY+yVpG2pF9HpQQPyghvq05s7q5Jyo2XCvjWLUO6omKzbWz0BpRM+oISkbzBBvD' +
      '+xgZGRkxd/u25vR9oo20c4aXTouFzTBsVefc+bJ8GeVAbplYtLBlpAE+Ivm/3EEo/9cJ9/Hg/6LcBuT/uuA6lP+Lg0+A/F+KW1D+LxiuQ/m/Jv' +
      'iTnS9rcLRTZB946dS3NQfX2pVWWdamVcrt7syRCNMq5ZwnKjbHHnPd4H5OzNSDEmL2IvtMWC0WytfLZLjWG5Gm62gnd+Gl04MSYqrRJ3vmSIQj' +
      '+8jX9MmuMIOvjFRG2g9KiF8zKVlFOzXDsFXVBgBwKP/WAA8A+b8KuAvIvyXDLeXfquEllH8LgatQ/i0TTuDBv0WdefBvYW+g/FsM/IDyb3XwF8' +
      'n/JcGl8m99cAzJ/1XBSUD+rcV3PPi/GucB+bdSuILk/1rgCZJ/K4P3SP4vAc4i+b8i+Izk3/LgSvJv0XARyf81wjco/1YOd6H8Wyj8RvJv/XAD' +
      'yv+1wjVA/q8WHiL5vyC4g/xbMZwH5P+i4A4g/5eNZaghiZNKGpEKojglSdIYEBJCkJLwBhIYDSfEme7//xkZKFAqfOQDe2qlK0PRpbTp66ZMqC' +
      'qHLJFB8G2XYaIqBgpDm5EYSAdiMCBtG8+XX4reXD+OMH4nhqws9M2valXE4CuUMXCiO4QvunSGUj6UaLsswoAfpEvYCjwi9olqMXyT0qgxPvpD' +
      'UtBGBAU5AEA7Jqf01OsRjWbdkogziDRW3AxOR5Q9UyxEg8s4UW9PDbrqy0aE8MInjLJoD2O2yEhZPifNU7prQtPFBKGBJbdQDtpctLIJmggvJy' +
      'JeJbkEXqjKix3/8kEVsz/V',
  ],
  [
    'lz4 legacy',
    'AiFMGFEEAADwE2F3eiBwc2p2amNkYSB2emhsZSB6eiB1aXhhamhnbiByaGkQAPYQamhzZG5jdmMgcWJmam5uZCBudnZ5cHYgZHZndGNlazAA8g' +
      'dsYmJ3IHpwc3IgZHJ6bnFsZmQgZnRjFwD2Am10byBhbXplaGlpIGJxanR0eQD2I3Vwc29xYXIgaXBseGtqcyBwa3RzdGFuIGVzbG1wa2FsIGFo' +
      'amFybXhkIHRoc2NwenlqcwCAZGtwdXcgZWGoAAUnAARBAAUvAAR5AFZ3eWd5eBcA9Q15b3V6ayB4aXZraiByaHNieXNwIG5obXNrdnRj3gABvg' +
      'BhcHdnd2J3zgAhYnYYASZmdBABhWhhcWNkbmx2wgAAWAEFvgAFHgAAFgCBenogeGJmeWFAAANIAUVxcndmBQGSenogcmh0aG13eQAkd2QPAASQ' +
      'AAQIAHZhb2lnaGln9gD2FWV3ZnkgZnF6cmFpZm8gb2t2b3NyY2wgZGJodnEgbmR0c2FkZ8wBBBEAM3NzebMBASgARXp3eGsMAQGCAAKvAFV5Zm' +
      'lmZTUAAg4ABWwAANwBABQBUmFpZXRnNgACTgACcAEEfgECrAECJQABDwIEugACGQAETgE7aWVybwBkbGp6bmRyhQAB6AAEowAjZWFOAiVlYRQA' +
      'AtcBAGIAAtkAAzEBBBYCBI8ABHIBJndkigAB/wAC8gAEdwECFwFic2ttZmxi6wAC7wACbAADJgAFCwEETQIRaQQABWoCAA0ACsYABqABI2Fyww' +
      'BzYW9yZWN0c0QAAoYAM3F0aIMAAhYABZ8CFmXBAAJRAAJ0AAKWAAWPAAAVAAWAAgKOAQBfASZlaQkCAM4ABLgCA5ECAkEBACkABOoDBM8DI2J2' +
      'rAACdAACmgABwAICrwAld2THAQG6AAHZAQT5AAUSAwF0AgRSASFha80AA1MCJXRjLwAElQAECAAFhQAE+gI2eGZrugEB7wEEVAAjZWF7AAJWAA' +
      'NwBAMAAgLoBCF5anoBBB0CJmVhPgAC1gAFYwQkenoHAQFPAgUnAAXABAXYAAI4AQUhACJ3ZDIAYXNpenhyc/YAA0gEASMDATcBBOMCA2IABawB' +
      'B88CANoABWMAAFYBA4IBF2ohBSF3eq8BBZwABScCkOhZ+v//S+ro0gcAonvoS/r//0hZ6IQVABB9DgCg4eh2+v//SfPorxUAoJbo6Pr//0qi6O' +
      'EcADBH6FoHAKDw6NP5//9IZOhMHAAwl+jFFQAwgOi+MQDwAhLo9/n//0rk6LD5//9LzujpBwAwgeiiKgAwmujbHAAwS+iUBwAw2OhNFQAwwegG' +
      'BwAw8uh/FQAwMOg4DgBBNuix+WkAEGqMADDu6GMOADCo6FwcADB+6JVUADBp6E4OADDP6IcOADAT6EAHAKBB6Hn5//9JZ+hyBwAwC+irFQAwtO' +
      'gkBwAwqujdBwAw+ejWTQAwzugPtgAwAugIFQAv5gABAP8UUAAAAAAA',
  ],
  [
    'lz4',
    'BCJNGHRAvVEEAADwE2F3eiBwc2p2amNkYSB2emhsZSB6eiB1aXhhamhnbiByaGkQAPYQamhzZG5jdmMgcWJmam5uZCBudnZ5cHYgZHZndGNlaz' +
      'AA8gdsYmJ3IHpwc3IgZHJ6bnFsZmQgZnRjFwD2Am10byBhbXplaGlpIGJxanR0eQD2I3Vwc29xYXIgaXBseGtqcyBwa3RzdGFuIGVzbG1wa2Fs' +
      'IGFoamFybXhkIHRoc2NwenlqcwCAZGtwdXcgZWGoAAUnAARBAAUvAAR5AFZ3eWd5eBcA9Q15b3V6ayB4aXZraiByaHNieXNwIG5obXNrdnRj3g' +
      'ABvgBhcHdnd2J3zgAhYnYYASZmdBABhWhhcWNkbmx2wgAAWAEFvgAFHgAAFgCBenogeGJmeWFAAANIAUVxcndmBQGSenogcmh0aG13eQAkd2QP' +
      'AASQAAQIAHZhb2lnaGln9gD2FWV3ZnkgZnF6cmFpZm8gb2t2b3NyY2wgZGJodnEgbmR0c2FkZ8wBBBEAM3NzebMBASgARXp3eGsMAQGCAAKvAF' +
      'V5ZmlmZTUAAg4ABWwAANwBABQBUmFpZXRnNgACTgACcAEEfgECrAECJQABDwIEugACGQAETgE7aWVybwBkbGp6bmRyhQAB6AAEowAjZWFOAiVl' +
      'YRQAAtcBAGIAAtkAAzEBBBYCBI8ABHIBJndkigAB/wAC8gAEdwECFwFic2ttZmxi6wAC7wACbAADJgAFCwEETQIRaQQABWoCAA0ACsYABqABI2' +
      'FywwBzYW9yZWN0c0QAAoYAM3F0aIMAAhYABZ8CFmXBAAJRAAJ0AAKWAAWPAAAVAAWAAgKOAQBfASZlaQkCAM4ABLgCA5ECAkEBACkABOoDBM8D' +
      'I2J2rAACdAACmgABwAICrwAld2THAQG6AAHZAQT5AAUSAwF0AgRSASFha80AA1MCJXRjLwAElQAECAAFhQAE+gI2eGZrugEB7wEEVAAjZWF7AA' +
      'JWAANwBAMAAgLoBCF5anoBBB0CJmVhPgAC1gAFYwQkenoHAQFPAgUnAAXABAXYAAI4AQUhACJ3ZDIAYXNpenhyc/YAA0gEASMDATcBBOMCA2IA' +
      'BawBB88CANoABWMAAFYBA4IBF2ohBSF3eq8BBZwABScCkOhZ+v//S+ro0gcAonvoS/r//0hZ6IQVABB9DgCg4eh2+v//SfPorxUAoJbo6Pr//0' +
      'qi6OEcADBH6FoHAKDw6NP5//9IZOhMHAAwl+jFFQAwgOi+MQDwAhLo9/n//0rk6LD5//9LzujpBwAwgeiiKgAwmujbHAAwS+iUBwAw2OhNFQAw' +
      'wegGBwAw8uh/FQAwMOg4DgBBNuix+WkAEGqMADDu6GMOADCo6FwcADB+6JVUADBp6E4OADDP6IcOADAT6EAHAKBB6Hn5//9JZ+hyBwAwC+irFQ' +
      'AwtOgkBwAwqujdBwAw+ejWTQAwzugPtgAwAugIFQAv5gABAP8UUAAAAAAAKiRG9QAAAACvzKGW',
  ],
]
const packedBy = (name: string): Uint8Array =>
  new Uint8Array(Buffer.from(PACKED.find(([one]) => one === name)![1], 'base64'))

const decoderFor = (name: string, bytes: Uint8Array): Decoder =>
  name.startsWith('xz')
    ? new XzDecoder(bytes)
    : name.startsWith('zstd')
      ? new ZstdDecoder(bytes)
      : new Lz4Decoder(bytes)

/** All of it, into `size` bytes; or the words of the error. Anything else that is thrown fails the test. */
function unpack(name: string, bytes: Uint8Array, size = SAMPLE.length): Uint8Array | string {
  try {
    const decoder = decoderFor(name, bytes)
    const out = new Uint8Array(size)
    let length = 0
    // No step is for nothing: it uses input or makes output.
    for (let steps = 0; !decoder.done; steps++) {
      if (steps > bytes.length + size + 10) throw new Error('it does not end')
      length = decoder.step(out, length)
    }
    return out.subarray(0, length)
  } catch (error) {
    if (error instanceof UnpackError) return error.message
    throw error
  }
}

const text = (letters: string): Uint8Array => Uint8Array.from(letters, (letter) => letter.charCodeAt(0))
const words = (...values: readonly number[]): number[] =>
  values.flatMap((value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24])

describe.each(PACKED)('%s', (name) => {
  const packed = packedBy(name)
  const checked = name !== 'xz blocks' && name !== 'zstd fast' && !name.startsWith('lz4')

  test('is unpacked', () => {
    expect(unpack(name, packed)).toEqual(SAMPLE)
  })

  test('does not fit into less room', () => {
    expect(typeof unpack(name, packed, SAMPLE.length - 1)).toBe('string')
  })

  test('cut anywhere is refused', () => {
    for (let length = 0; length < packed.length; length += 3)
      expect(typeof unpack(name, packed.slice(0, length))).toBe('string')
  })

  test('a wrong byte anywhere is refused, or at least does no harm', () => {
    for (let at = 0; at < packed.length; at++) {
      const bad = packed.slice()
      bad[at]! ^= 1 << (at % 8)
      const result = unpack(name, bad)
      if (checked && typeof result !== 'string') expect(Buffer.compare(result, SAMPLE)).toBe(0)
    }
  })
})

describe('by hand', () => {
  test.each<[string, readonly number[], string]>([
    ['literals alone', [...words(0x184c2102, 6), 0x50, ...text('hello')], 'hello'],
    ['a match that repeats itself', [...words(0x184c2102, 7), 0x13, 97, 1, 0, 0x20, 98, 99], `${'a'.repeat(8)}bc`],
    ['two blocks', [...words(0x184c2102, 2), 0x10, 97, ...words(2), 0x10, 98], 'ab'],
    ['two files', [...words(0x184c2102, 2), 0x10, 97, ...words(0x184c2102, 2), 0x10, 98], 'ab'],
    ['no input', words(0x184c2102), 'missing data'],
    ['half a length', [...words(0x184c2102, 2), 0x10, 97, 0, 0], 'missing data'],
    ['a block beyond the end', [...words(0x184c2102, 9), 0x10, 97], 'insufficient input data'],
    ['a match before the beginning', [...words(0x184c2102, 6), 0x10, 97, 2, 0, 0x10, 97], 'decoding failed'],
    ['a match at no distance', [...words(0x184c2102, 6), 0x10, 97, 0, 0, 0x10, 97], 'decoding failed'],
    [
      'a match into the block before',
      [...words(0x184c2102, 2), 0x10, 97, ...words(5), 0, 1, 0, 0x10, 98],
      'decoding failed',
    ],
    ['a length without end', [...words(0x184c2102, 5), 0xf0, 255, 255, 255, 255], 'decoding failed'],
    ['another magic number', words(0x184c2103), 'invalid header'],
    [
      'a frame with a stored block',
      [...words(0x184d2204), 0x60, 0x40, 0, ...words(0x80000002), 97, 98, ...words(0)],
      'ab',
    ],
    ['a frame with a dictionary', [...words(0x184d2204), 0x61, 0x40, 0], 'invalid header'],
  ])('lz4: %s', (_name, bytes, result) => {
    const got = unpack('lz4', Uint8Array.from(bytes), 64)
    expect(typeof got === 'string' ? got : String.fromCharCode(...got)).toBe(result)
  })

  test.each<[string, readonly number[], string]>([
    ['a raw block', [...words(0xfd2fb528), 0x20, 3, 0x19, 0, 0, ...text('abc')], 'abc'],
    ['a repeated byte', [...words(0xfd2fb528), 0x20, 5, 0x2b, 0, 0, 97], 'aaaaa'],
    ['a frame to be skipped', [...words(0x184d2a53, 2), 1, 2, ...words(0xfd2fb528), 0x20, 1, 9, 0, 0, 97], 'a'],
    [
      'another size than it says',
      [...words(0xfd2fb528), 0x20, 4, 0x19, 0, 0, ...text('abc')],
      'Data corruption detected',
    ],
    ['a block of no kind', [...words(0xfd2fb528), 0x20, 3, 0x1f, 0, 0], 'Data corruption detected'],
    ['a reserved bit', [...words(0xfd2fb528), 0x28, 3], 'Unsupported frame parameter'],
    ['a dictionary', [...words(0xfd2fb528), 0x21, 7, 3], 'Dictionary mismatch'],
    ['another magic number', words(0xfd2fb529), 'Unknown frame descriptor'],
    ['nothing', [], 'Src size is incorrect'],
    [
      'a wrong checksum',
      [...words(0xfd2fb528), 0x24, 1, 9, 0, 0, 97, ...words(1)],
      "Restored data doesn't match checksum",
    ],
  ])('zstd: %s', (_name, bytes, result) => {
    const got = unpack('zstd', Uint8Array.from(bytes), 64)
    expect(typeof got === 'string' ? got : String.fromCharCode(...got)).toBe(result)
  })

  test.each<[string, number, number, string]>([
    ['another magic number', 1, 0, 'File format not recognized'],
    ['a header that does not match its sum', 7, 4, 'File is corrupt'],
    ['a filter with options that cannot be', 12, 9, 'File is corrupt'],
  ])('xz: %s', (_name, at, value, result) => {
    const bytes = packedBy('xz')
    bytes[at] = value
    expect(unpack('xz', bytes)).toBe(result)
  })
})

test.each([
  ['', 0x51d8e999],
  ['a', 0xa98c6e5b],
  ['The quick brown fox jumps over the lazy dog', 0x1fda71bc],
])('XXH64 of %j', (letters, low) => {
  const sum = xxh64()
  // In two pieces.
  sum.update(text(letters.slice(0, 5)))
  sum.update(text(letters.slice(5)))
  expect(sum.digest()).toBe(low)
})
