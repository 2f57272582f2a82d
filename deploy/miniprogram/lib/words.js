// What a person reads instead of what a machine sends: days, names, a notice without its marks.

/** 2026-03-01 as 2026年3月1日. */
const day = (iso) => iso.split('-').map(Number).join('年').replace(/年(\d+)$/, '月$1日')

/** A notice as plain lines: its heading for machines, headings' and bold's marks and table rules are left out. */
function plain(markdown) {
  return markdown
    .replace(/^\+\+\+[\s\S]*?\n\+\+\+\s*/, '')
    .replace(/^#+ +/gm, '')
    .replace(/\*\*/g, '')
    .replace(/^\|[ |:-]+\|$\n?/gm, '')
    .replace(/^\| *(.*?) *\| *(.*?) *\|$/gm, '$1：$2')
    .replace(/^- +/gm, '· ')
}

/** What a consent is for; `perks` gives a perk's name. */
function purpose(id, perks) {
  if (id === 'score') return '计算我的桂花分'
  if (id.startsWith('share:')) return `允许一家合作方核对“${perks[id.split('/').pop()] || '一项便利'}”`
  return '其他同意（名称见网页版“同意”）'
}

module.exports = { day, plain, purpose }
