// What the page says in Korean; `page` has the texts of page.html. \u2060 keeps a particle on its
// number's line.

import { quoted } from "./quoted.js";

const one = (points) => `한 시간 더 공부한 사람의 점수는 ${points}점`;
const range = (low, high) => `한 시간 더 공부한 사람의 점수는 ${low}~${high}점`;
const several = (n) => n.toLocaleString("ko");
const scatter = ({ few, many, low, high }) =>
  `(${low}시간에서 ${few}점, ${high}시간에서 ${many}점). 95% 예측 구간에 반영했어요.`;

export const KOREAN = {
  page: {
    api: "API",
    question: "한 시간 더 공부한 사람은 몇 점이 더 높을까요?",
    loading: "모델에게 물어보고 있어요…",
    askModel: "모델에게 물어보기",
    hoursOfStudy: "공부 시간",
    points: "점",
    hours: "시간",
    awaited: "답을 기다리고 있어요…",
    wantedScore: "이 점수를 받으려면 몇 시간?",
    copyCurl: "curl 명령으로 복사",
    line: "직선",
    lineBand: "직선이 있을 만한 범위",
    band: "95% 예측 구간",
    trainingRow: "학습 데이터",
    outside: "외삽",
    yourHours: "입력한 시간",
    yourScore: "입력한 점수",
    yourClass: "붙여 넣은 점수",
    fitIt: "직접 맞춰 보기",
    fitItWhy:
      "두 손잡이를 끌어 직선을 움직여 보세요. 점마다 정사각형의 넓이가 오차의 제곱이고, 비용은 모든 학습 데이터에서 낸 그 평균이에요.",
    showAnswer: "정답 보기",
    replayIt: "학습 과정 다시 보기",
    learningRun: "학습률",
    epoch: "에폭",
    ofOld: "이전 모델의 예측이에요.",
    predictAgain: "새 모델로 다시 예측",
    forPrograms: "프로그램에서 쓰려면",
    asTable: "그래프를 표로 보기",
    trust: "믿어도 될까요?",
    rows: "학습 데이터 수",
    cvError: "교차 검증 오차",
    residualSd: "잔차의 표준편차",
    theLine: "직선의 식",
    howLearned: "어떻게 배웠나요?",
    epochs: "에폭",
    learningRate: "학습률",
    from: "학습 데이터",
    when: "학습 시각",
    model: "모델",
    many: "한꺼번에 예측하기",
    paste:
      "공부 시간을 한 줄에 하나씩 붙여 넣거나, ‘공부 시간’ 열이 있는 표를 붙여 넣으세요. 파일을 끌어다 놓아도 돼요.",
    predict: "예측",
    choose: "파일 선택",
    predictions: "예측 결과",
    tableHere: "예측 결과가 여기에 나타나요. 복사하거나 저장할 수 있어요.",
    save: "CSV로 저장",
    copy: "표 복사",
    keyTitle: "이 서비스에는 키가 필요해요",
    keyWhy: "키는 이 탭을 닫을 때까지만 보관하고, 이 서비스에만 보내요.",
    key: "API 키",
    open: "열기",
  },
  headline: {
    unknown: () => "데이터 두 건으로는 한 시간에 몇 점이 오르는지 알 수 없어요.",
    none: () => "공부 시간이 달라도 점수는 같아요.",
    rises: (points) => `${one(points)} 높아요.`,
    falls: (points) => `${one(points)} 낮아요.`,
    risesBy: (low, high) => `${range(low, high)} 높아요.`,
    fallsBy: (low, high) => `${range(low, high)} 낮아요.`,
    unclear: (low, high) =>
      `공부 시간이 점수에 영향을 주는지 알 수 없어요: 한 시간에 ${low}점에서 ${high}점까지 모두 가능해요.`,
  },
  lead: (rows, low, high) =>
    `${low}~${high}시간 공부한 기록 ${rows}건으로 이 모델이 배운 결과예요. 슬라이더를 움직여 물어보세요.`,
  manyPoints: (n) => `${n}점`,
  interval: (low, high) =>
    `이만큼 공부한 사람의 95%\u2060는 ${low}점에서 ${high}점 사이의 점수를 받을 거예요.`,
  intervalOut: (low, high) =>
    `직선이 여기까지 이어진다면, 95%\u2060는 ${low}점에서 ${high}점 사이의 점수를 받을 거예요.`,
  cutScore: (line, limit) => `직선의 값은 ${line}점이지만 점수의 한계는 ${limit}점이에요.`,
  cutRange: (limits) => `예측 구간은 점수의 한계(${limits.join(", ")}점)에서 잘렸어요.`,
  few: (rows) => `데이터 ${rows}건만으로는 근거가 약해요.`,
  caveat: (sentences) => `주의: ${sentences}`,
  holds: "문제없음",
  doubtful: "주의",
  noInterval: "예측 구간을 구하려면 학습 데이터가 3건 이상 있어야 해요.",
  noWidth: "모든 학습 데이터가 직선 위에 있어서 95% 예측 구간의 폭이 0이에요.",
  atLimit: (limit) => `95% 예측 구간이 모두 점수의 한계인 ${limit}점에 있어요.`,
  extrapolated: (low, high) =>
    `외삽: 모델은 ${low}~${high}시간만 봤어요. 그 밖에서는 직선을 늘인 추측이에요.`,
  takes: {
    between: (low, high) =>
      `${low}시간에서 ${high}시간까지는 95% 예측 구간에 이 점수가 들어 있어요.`,
    from: (low) => `${low}시간부터는 95% 예측 구간에 이 점수가 계속 들어 있어요.`,
    unsure: "얼마나 확실한지는 이 데이터로 알 수 없어요.",
  },
  takesNone: {
    level: () => "직선이 수평이라서 공부 시간에 따른 차이가 없어요.",
    limits: (low, high) => `점수는 ${low}점에서 ${high}점까지예요.`,
    beyond: (most) => `0~${most}시간에서는 직선이 이 점수에 닿지 않아요.`,
    above: (points) => `0시간에서 이미 직선이 이 점수보다 높아요: ${points}점.`,
    below: (points) => `0시간에서 이미 직선이 이 점수보다 낮아요: ${points}점.`,
    unclear: () =>
      "공부 시간이 점수와 관계있는지 이 데이터로는 알 수 없어서, 몇 시간이 필요한지도 알 수 없어요.",
  },
  score: "점수",
  hours: "시간",
  low: "하한",
  high: "상한",
  lineLow: "직선 하한",
  lineHigh: "직선 상한",
  outside: "외삽",
  trainedOn: "학습한 범위",
  trained: "학습 범위",
  fitTitle: "공부 시간에 따른 점수",
  fitLabel: (equation, low, high, points) =>
    `${equation}, ${low}~${high}시간으로 학습` +
    (points === "0" ? "." : `, 학습 데이터 ${points}건 표시.`),
  whatW: "가중치(weight): 한 시간 더 공부한 사람이 더 받는 점수",
  whatB: "편향(bias): 전혀 공부하지 않았을 때의 점수",
  certainty: (what, low, high) => `${what}. 95% 신뢰구간은 ${low}에서 ${high}까지`,
  r2: (share) => `점수 차이의 ${share}\u2060를 공부 시간이 설명해요.`,
  nearlyAll: "99.9% 이상",
  percent: (n) => `${n}%`,
  r2Worse: "늘 평균 점수로 답하는 편이 더 나아요.",
  r2None: "점수가 모두 같아서 설명할 차이가 없어요.",
  r2Two: "두 점은 늘 한 직선 위에 있어서 아무것도 설명하지 못해요.",
  cv: "학습에 쓰지 않은 데이터에서 보통 이만큼 빗나가요.",
  cvNone: "데이터를 둘 이상의 묶음으로 나눌 수 있어야 해요.",
  sd: "학습 데이터가 직선에서 보통 이만큼 떨어져 있어요.",
  sdNone: "데이터가 3건 이상 있어야 해요.",
  findings: {
    unknown: () => "두 점은 늘 한 직선 위에 있어서 얼마나 믿을 수 있는지 알 수 없어요.",
    constant: () => "점수가 모두 같아서 한 시간에 몇 점이 다른지 알 수 없어요.",
    zero: () => "점수가 모두 0이에요. 데이터가 잘못된 것 같아요.",
    exact: () => "모든 데이터가 직선 위에 있어요.",
    exact_few: ({ rows }) => `모든 데이터가 직선 위에 있지만, ${rows}건으로는 근거가 약해요.`,
    unclear: ({ span }) =>
      `이 데이터로는 더 공부할 때 점수가 오르는지 내려가는지 알 수 없어요: 한 시간에 ${span}점까지 가능해요.`,
    rises: ({ span }) => `한 시간 더 공부한 사람의 점수가 ${span}점 높아요.`,
    rises_little: ({ span, r2 }) =>
      `한 시간 더 공부한 사람의 점수가 ${span}점 높지만, 공부 시간은 점수 차이의 ${r2}만 설명해요.`,
    falls: ({ span }) => `한 시간 더 공부한 사람의 점수가 ${span}점 낮아요.`,
    falls_little: ({ span, r2 }) =>
      `한 시간 더 공부한 사람의 점수가 ${span}점 낮지만, 공부 시간은 점수 차이의 ${r2}만 설명해요.`,
    straight: ({ rows }) => `데이터 ${rows}건으로 볼 때 곡선이라는 증거는 없어요.`,
    nearly_straight: ({ bend_most, residual_sd }) =>
      `곡선이 아주 조금 더 잘 맞아요: 직선과 ${bend_most}점 안에 있고, 점수는 어느 쪽에서든 ${residual_sd}점쯤 흩어져 있어요.`,
    curved: ({ bend_most, low, high }) =>
      `직선이 잘 맞지는 않아요: 곡선이 더 잘 맞고, ${low}~${high}시간에서 직선과 ${bend_most}점까지 차이가 나요.`,
    even: ({ rows }) =>
      `데이터 ${rows}건으로 볼 때 점수가 흩어진 정도는 공부 시간과 상관없이 고르게 보여요.`,
    nearly_even: (numbers) =>
      `점수가 흩어진 정도는 공부 시간에 따라 조금만 달라요 ${scatter(numbers)}`,
    grows: (numbers) => `공부 시간이 길수록 점수가 더 넓게 흩어져 있어요 ${scatter(numbers)}`,
    shrinks: (numbers) => `공부 시간이 길수록 점수가 더 좁게 모여 있어요 ${scatter(numbers)}`,
    normal: ({ rows }) =>
      `데이터 ${rows}건으로 볼 때 오차는 95% 예측 구간의 가정대로 정규분포로 보여요.`,
    nearly_normal: () => "오차가 정규분포와 조금 다르지만 거의 비슷해요.",
    skewed_up: () =>
      "오차가 정규분포가 아니에요: 유난히 높은 점수가 몇몇 있거나 최저점이 많을 때처럼, 큰 오차가 직선 위쪽에 있어요.",
    skewed_down: () =>
      "오차가 정규분포가 아니에요: 유난히 낮은 점수가 몇몇 있거나 만점이 많을 때처럼, 큰 오차가 직선 아래쪽에 있어요.",
    heavy_tails: () => "오차가 정규분포가 아니에요: 직선에서 아주 먼 점수가 몇 개 있어요.",
    light_tails: () =>
      "오차가 정규분포가 아니에요: 두 무리로 나뉘거나 고르게 퍼져 있을 때처럼, 유난히 큰 오차가 거의 없어요.",
    quantiles: () =>
      "그래서 95% 예측 구간은 정규분포를 가정하지 않고, 실제 오차의 분위수로 정했어요.",
    assumed: () =>
      "그래도 95% 예측 구간은 정규분포를 가정해요. 가정하지 않으려면 데이터가 100건 이상, 묶음이 둘 이상 있어야 해요.",
    decisive: ({ row_hours, row_score, slope_without, W }) =>
      `데이터 한 건(${row_hours}시간, ${row_score}점)이 직선을 좌우해요. 이것을 빼면 한 시간에 ${W}점이 아니라 ${slope_without}점이에요.`,
    alone: ({ row_hours, row_score }) =>
      `데이터 한 건(${row_hours}시간, ${row_score}점)에만 의존해요. 나머지는 공부 시간이 모두 같아요.`,
  },
  descent: (first, last) =>
    `SGD가 에폭마다 W와 b를 조금씩 고치면서 비용(평균제곱오차)이 ${first}에서 ${last}까지 내려갔어요.`,
  cost: "비용",
  epoch: "에폭",
  costsTitle: "에폭에 따른 비용",
  costsLabel: (first, last, epochs) =>
    `${epochs} 에폭 동안 비용이 ${first}에서 ${last}까지 내려감.`,
  standardUnits: (lr) => `${lr} (표준화한 값)`,
  rawHours: (lr) => `${lr} (시간 그대로)`,
  source: (name, rows) => `${name} (${rows}건)`,
  moreSources: (n) => `외 ${n}개`,
  swapped: (time) => `${time}에 새 모델로 바뀌었어요. 지금 보이는 것이 새 모델이에요.`,
  silent: "서비스가 응답하지 않아요. 계속 다시 연결해 볼게요.",
  copied: "복사했어요.",
  copiedTable: "복사했어요. 스프레드시트에 붙여 넣으세요.",
  heading: (place, text) => `${place} ${quoted(text)}\u2060은(는) 제목으로 보고 건너뛰었어요.`,
  hoursColumn: (name) => `공부 시간은 ${quoted(name)} 열에서 읽었어요.`,
  predicted: (done, rows) =>
    done === rows
      ? `${several(rows)}줄을 예측했어요.`
      : `${several(rows)}줄 중 ${several(done)}줄을 예측했고, ${several(rows - done)}줄은 뺐어요.`,
  blank: (lines) => `빈 줄 ${lines}개는 건너뛰었어요.`,
  leftOut: "제외",
  predictedScore: "예측 점수",
  column: (n) => `${n}번째 열`,
  silentRows: "서비스가 응답하지 않아요. 응답할 때까지 이 줄들을 다시 물어볼게요.",
  compared: (inside, rows, misses) =>
    `점수 ${rows}개 중 ${inside}개가 95% 예측 구간 안에 있어요.` +
    (misses && ` 가장 많이 빗나간 점수: ${misses}.`) +
    " 이 비교는 브라우저 안에서만 했고, 점수는 보내지 않았어요.",
  miss: (name, score, predicted) => `${name} (${score}점, 예측 ${predicted}점)`,
  attempt: (line, own, best) => `${line}: 비용 ${own}. SGD의 최소 비용은 ${best}.`,
  asGood: "SGD만큼 잘 맞췄어요!",
  handle: (hours) => `${hours}시간에서 내 직선의 점수`,
  handleAt: (score, cost) => `${score}점, 비용 ${cost}`,
  replay: (epoch, line, cost) => `에폭 ${epoch}에서 고치기 전: ${line}, 비용 ${cost}.`,
  labTrack: (lr) => `실습처럼: ${lr} (시간 그대로)`,
  diverges: "SGD가 발산해요: 이 공부 시간에는 학습률이 너무 커서 걸음이 지나쳐요.",
  play: "재생",
  pause: "멈춤",
  place: ({ line, item }) => (line ? `${line}번째 줄` : `${item}번째 값`),
  moreProblems: (n) => `…그 밖에 ${several(n)}건.`,
  refusals: {
    notNumber: (text) =>
      text.trim()
        ? `${quoted(text)}\u2060은(는) 4나 1.5 같은 숫자가 아니에요.`
        : "4처럼 숫자로 입력하세요.",
    twoNumbers: (text, a, b) =>
      `${quoted(text)}\u2060은(는) ${a}일 수도, ${b}일 수도 있어요. 둘 중 하나로 적어 주세요.`,
    tooLittle: () => "공부 시간은 0 이상이어야 해요.",
    tooMuch: (most) => `공부 시간은 ${most}(1년의 시간) 이하여야 해요.`,
    noHours: () => "공부 시간을 하나 이상 붙여 넣으세요.",
    notHours: (text) => `${quoted(text)}\u2060은(는) 1.5 같은 숫자가 아니에요.`,
    severalWays: (text) =>
      `${quoted(text)}\u2060은(는) 숫자 하나일 수도, 여러 개일 수도 있어요. 맞는 것을 고르세요:`,
    mixedMarks: (point, comma) =>
      `${quoted(point)}에는 소수점이, ${quoted(comma)}에는 소수 쉼표가 있어요. 한 가지로 적어 주세요.`,
    empty: () => "공부 시간이 없어요.",
    cells: (found, wanted) => `${found}칸인데 첫 줄은 ${wanted}칸이에요.`,
    whichColumn: (columns) =>
      `숫자 열이 ${columns}개예요. 공부 시간인 열을 고르거나, 그 열의 제목을 ‘공부 시간’으로 해 주세요.`,
    noColumn: () => "숫자도, ‘공부 시간’이라는 제목도 없어요.",
    otherList: (name) => `공부 시간이 아니라 ${quoted(name)}의 목록이에요.`,
    leftOver: (text) =>
      `${quoted(text)}\u2060이(가) 남아요. 한 줄에 한 사람씩 적거나, 1, 2.5, 4처럼 목록으로 적어 주세요.`,
    notList: () => "[1, 2.5, 4] 같은 목록이 아니에요.",
    tooMany: (most) => `여기부터 넘쳤어요. 한 번에 ${several(most)}줄까지 예측할 수 있어요.`,
    workbook: () => "엑셀 파일이에요. 셀을 복사해 여기에 붙여 넣거나 CSV로 저장해 주세요.",
    notText: () => "텍스트 파일이 아니에요. 표를 CSV로 저장해 주세요.",
    tooLarge: (most) => `파일이 너무 커요. 한 번에 ${several(most)}줄까지 예측할 수 있어요.`,
    oneFile: () => "파일은 한 번에 하나만 넣어 주세요.",
    keyRefused: () => "이 키로는 열 수 없어요.",
    service: (sentence) => sentence,
  },
};
